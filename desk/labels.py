"""The tone of every state, and the words of the warning levels: the same state looks the same everywhere.

Tones: quiet (nothing to do yet, or over), busy (in somebody's hands), good, attention (somebody must act), bad.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from branch.words import state_word

Text = Any  # a str or a lazy translation


@dataclass(frozen=True)
class StateLabel:
    word: str
    tone: str


#: machine → tone → its states, separated by blanks. A state that stands nowhere is quiet.
_TONES: dict[str, dict[str, str]] = {
    "cluster": {"attention": "submitted", "good": "active", "bad": "suspended"},
    "prescreen_run": {"busy": "running", "good": "done", "bad": "failed"},
    "screening_hit": {"attention": "open", "busy": "proposed", "good": "cleared", "bad": "confirmed"},
    "erasure_request": {"attention": "open", "good": "fulfilled"},
    "pull_run": {"busy": "running", "good": "done"},
    "record_import": {"busy": "running", "good": "done", "bad": "refused"},
    "loan_request": {"attention": "requested", "good": "confirmed", "bad": "refused"},
    "suggestion": {"attention": "new", "busy": "under_review", "good": "accepted done"},
    "campaign": {"attention": "planned", "good": "running"},
    "lead": {"attention": "new", "busy": "contacted qualified", "good": "converted"},
    "application": {
        "busy": "submitted investigating in_review",
        "attention": "returned",
        "good": "approved offer_accepted contracted",
        "bad": "declined",
    },
    "investigation": {"busy": "open", "attention": "signed_by_owner", "good": "signed_by_second"},
    "review": {"busy": "open", "good": "decided"},
    "review_stage": {"attention": "waiting", "busy": "claimed", "good": "done"},
    "contract": {"attention": "generated", "good": "signed"},
    "condition": {"attention": "open", "good": "met"},
    "facility": {"attention": "pending_conditions", "good": "effective", "bad": "frozen"},
    "drawdown": {
        "attention": "requested unknown",
        "busy": "checked disbursing",
        "good": "disbursed",
        "bad": "failed refused",
    },
    "loan": {"good": "active", "bad": "called_in written_off"},
    "paymentinstruction": {"attention": "unknown", "busy": "created sent", "good": "succeeded", "bad": "failed"},
    "policy": {"attention": "submitted", "good": "active"},
    "signal": {"attention": "raised", "busy": "in_case"},
    "warning_case": {"attention": "open", "busy": "assigned verifying acting"},
    "inspection": {"attention": "due returned", "busy": "in_progress submitted", "good": "accepted"},
    "collection_case": {"attention": "open broken_promise", "busy": "contacting promised", "bad": "legal"},
    "businessday": {"good": "open", "busy": "closing"},
    "sweeprun": {"busy": "running", "good": "done"},
}
TONES: dict[str, dict[str, str]] = {
    machine: {state: tone for tone, states in tones.items() for state in states.split()}
    for machine, tones in _TONES.items()
}

LEVELS: dict[str, Text] = {
    "blue": _("Blue"),
    "yellow": _("Yellow"),
    "orange": _("Orange"),
    "red": _("Red"),
    "good": _("In order"),
}


def state_label(noun: str, state: str) -> StateLabel:
    """Word and tone of a state; `noun` is the name of its machine."""
    return StateLabel(capfirst(state_word(noun, state)), TONES.get(noun, {}).get(state, "quiet"))
