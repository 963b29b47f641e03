"""What became of an import: counts in words, and its findings row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from branch.domain.refusals import NotFound
from branch.queries.visibility import visible
from customers.models import ImportFinding, RecordImport

#: Counts of an import in the order they are shown.
COUNTS = {
    "rows": _("Rows read"),
    "accepted": _("New"),
    "replaced": _("Replaced an earlier figure"),
    "unchanged": _("Known already"),
    "identical": _("Identical rows in this file"),
    "rejected": _("Rejected"),
    "void": _("Void"),
    "zero_void": _("Void and all zero"),
    "negative": _("Red (negative)"),
    "same_number": _("Same number, other content (flagged)"),
    "off_total": _("Amount plus tax is not the total (flagged)"),
    "counter_fell": _("Meter readings below the one before (flagged)"),
    "overtaken": _("Rows a later row of the file replaces"),
    "blanks": _("Stray blanks removed"),
    "ended": _("No longer on the list: ended"),
    "not_ended": _("Nothing ended, as not every row could be read"),
    "months": _("Months worked out from details"),
    "maybe_known": _("May be on file already (taken in and flagged)"),
}
REASONS = {
    "replaced": _("A later row of this file says something else of the same entry."),
    "columns": _("The row has more or fewer cells than there are headings."),
    "quote": _("A quotation mark is opened and not closed; this line can't be read."),
    "damaged": _("The file is damaged or ends too early here; the rows before it were taken in."),
    "cut": _("The file ends in the middle of this line; its last value may be cut."),
    "other_sheets": _(
        "The workbook has other sheets with these headings, which are not taken in. Send each as a file."
    ),
    "formula": _("A cell holds a formula. Paste the values and send the file again."),
    "text": _("The row holds characters that can't be read in the file's encoding."),
    "unknown_firm": _("No customer is known by this code."),
    "missing": _("A value is missing."),
    "too_long": _("The value is too long."),
    "not_a_date": _("Not a date such as 2026-03-02."),
    "future": _("The date lies in the future."),
    "not_an_amount": _("Not an amount with at most two decimal places."),
    "unknown_metric": _("Unknown metric."),
    "not_a_month": _("Not a month such as 2026-03."),
    "not_a_figure": _("Not a number this metric takes."),
    "counter_fell": _(
        "A meter stands lower than before, or than later: changed or misread. No use is counted between the two."
    ),
    "not_a_place": _("Not a latitude and longitude in degrees."),
    "overtaken": _("A later row of this file has another figure for the same month."),
    "unknown_status": _("Not a known status of an invoice."),
    "off_total": _("Amount plus tax is not the total."),
    "zero_valid": _("A valid invoice of zero."),
    "red_turned": _("A red invoice with positive amounts; they are subtracted."),
    "blanks": _("Blanks around a value were removed."),
    "identical": _("Identical to an earlier row of this file."),
    "not_an_identity": _("Not a resident identity number: its check digit does not fit."),
    "not_a_phone_number": _("A phone number has 7 to 15 digits."),
    "unknown_source": _("Not a known source of a lead."),
    "known": _("On file already; the row was left out."),
    "maybe_known": _("May be on file already; it was taken in, and its page says what it is like."),
    "same_number": _("The same number stands on an invoice of other content; both are kept."),
    "unknown_member": _("No member of the cluster has this code or this name, or several have the name."),
    "unknown_kind": _("Neither order nor receivable."),
    "open_above_amount": _("More is open than the document is of."),
    "document_twice": _("A later row of this file has the same document; that one stands."),
    "not_a_uscc": _("Not a unified social credit code: its check digit does not fit."),
    "unknown_role": _("Unknown role of a member."),
    "not_a_number": _("Not a number from 0 on."),
    "not_yes_or_no": _("Neither yes nor no."),
    "not_a_phone": _("Not a phone number; the row was taken in without it."),
    "sent_twice": _("A later row of this file is about the same member; that one stands."),
}


def count_words(record_import: RecordImport) -> list[tuple[Any, int, str]]:
    """Label, number and code of what there was at least one of."""
    return [(word, number, code) for code, word in COUNTS.items() if (number := record_import.counts.get(code, 0))]


def reason_word(finding: ImportFinding) -> str:
    return str(REASONS.get(finding.code, finding.code))


def findings_of(record_import: RecordImport) -> QuerySet[ImportFinding]:
    return ImportFinding.objects.filter(record_import=record_import).order_by("line", "pk")


def report_lines(record_import: RecordImport) -> Iterator[list[Any]]:
    """The report as lines of a table, headings first: line, field, outcome, reason, and the row as it was sent."""
    yield [gettext("line"), gettext("field"), gettext("outcome"), gettext("reason"), gettext("as sent")]
    for finding in findings_of(record_import).iterator(chunk_size=2000):
        raw = "; ".join(f"{name}={value}" for name, value in finding.raw.items())
        yield [finding.line, finding.field, finding.get_weight_display(), reason_word(finding), raw]


def import_of(actor: Any, pk: int) -> RecordImport:
    """Raises NotFound where it is not there or not for this person."""
    found = visible(RecordImport, actor).filter(pk=pk).first()
    if found is None:
        raise NotFound(gettext("There is no such record."))
    return found
