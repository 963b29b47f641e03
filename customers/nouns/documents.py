"""The documents on a customer's page: what is missing or ends, and every file the reader may see."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from branch.domain.actor import Actor
from branch.domain.documents import Standing
from branch.models import Attachment
from branch.nouns.documents import (
    DOCUMENT_NOUN,
    STANDINGS,
    kept_with,
    kind_of_document,
    standing_words,
)
from branch.queries.documents import DocumentRule, document_rule
from branch.services.attachments import ATTACH
from branch.services.transition import may
from branch.web.panels import Panel, panel
from customers.models import Customer
from customers.queries.documents import Wanted, documents_of, gaps_of, wanted_of
from customers.queries.merges import files_of

SHOWN = 10
KINDS = {"licence": _("Business licence"), "identity": _("Identity document")}
TONES = {
    Standing.VALID: "good",
    Standing.SOON: "attention",
    Standing.EXPIRED: "bad",
    Standing.UNDATED: "quiet",
}


def sentence_of(wanted: Wanted) -> str:
    """What is wrong with a required document, for those who should get another."""
    kind = KINDS.get(wanted.kind, wanted.kind)
    if wanted.standing is None:
        return gettext("%(kind)s: none on file.") % {"kind": kind}
    if wanted.standing == Standing.EXPIRED:
        return gettext("%(kind)s: expired on %(day)s.") % {"kind": kind, "day": wanted.expires_on}
    return gettext("%(kind)s: expires on %(day)s.") % {"kind": kind, "day": wanted.expires_on}


def gap_sentences(customer: Customer) -> list[str]:
    """The required documents that are missing or expired, a sentence each."""
    return [sentence_of(wanted) for wanted in gaps_of(customer)]


@panel("customer")
def documents(customer: Customer, actor: Actor) -> Panel:
    """In as many queries whatever the number of documents."""
    rule = document_rule()
    rows = documents_of(customer, actor)
    counts = rows.aggregate(all=Count("pk"), **{s.value: Count("pk", filter=rule.where(s)) for s in Standing})
    files = ",".join(str(pk) for pk in files_of(customer))
    every = f"{DOCUMENT_NOUN.url()}?customer_id={files}"
    wanted = wanted_of(customer, rule)
    context = {
        "gaps": [sentence_of(one) for one in wanted if one.is_gap],
        "soon": [sentence_of(one) for one in wanted if one.standing == Standing.SOON],
        "rows": [_row(document, rule) for document in rows[:SHOWN]],
        "may_correct": may(actor, ATTACH, customer) and not customer.is_merged,
        "total": counts["all"],
        "shown": SHOWN,
        "url": every,
        "choices": [
            (word, counts[standing.value], f"{every}&standing={standing.value}")
            for standing, word in STANDINGS.items()
            if counts[standing.value]
        ],
    }
    return Panel(_("Documents"), "customers/view/documents.html", context, "documents")


def _row(document: Attachment, rule: DocumentRule) -> dict[str, Any]:
    owner, url = kept_with(document)
    return {
        "document": document,
        "kind": kind_of_document(document),
        "owner": owner,
        "owner_url": url,
        "standing": standing_words(document.expires_on, rule),
        "tone": TONES[rule.standing(document.expires_on)],
    }
