"""What approvals adds to an application: sending it to review, withdrawing it, bringing back a declined one."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from approvals.services import reviews
from branch.web.forms import ReasonForm
from branch.web.noun import Action, extend
from loans.models import Application, Investigation


def _is_signed(application: Application) -> bool:
    return Investigation.objects.filter(application=application, state="signed_by_second").exists()


extend(
    "application",
    Action(
        "send-to-review",
        _("Send to review"),
        reviews.send_to_review,
        event="send_to_review",
        tone="primary",
        when=_is_signed,
    ),
    Action(
        "override",
        _("Bring back for another review"),
        reviews.override_decline,
        form=ReasonForm,
        event="override_decline",
    ),
    Action("withdraw", _("Withdraw"), reviews.withdraw_file, form=ReasonForm, event="withdraw", tone="danger"),
)
