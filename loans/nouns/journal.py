"""The journal: entries with their lines, and the days of interest behind what a night posted."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import django_tables2 as tables
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters import ChoiceFilter, DateFilter, FilterSet, NumberFilter
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.models import Event, Office
from branch.queries.visibility import visible
from branch.web.noun import Noun, register, url_of
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable
from loans.models import Accrual, JournalEntry, JournalLine, Product, Repayment
from loans.models.ledger import EventWord
from loans.nouns.accounts import account_choices, account_word, family_word
from loans.nouns.loans import total
from loans.queries.visibility_lending import LEDGER_READERS, LOAN_READERS


class LineSerializer(serializers.ModelSerializer):
    account_name = serializers.SerializerMethodField()

    class Meta:
        model = JournalLine
        fields = ("account", "account_name", "family", "debit", "credit")
        read_only_fields = fields

    def get_account_name(self, line: JournalLine) -> str:
        return account_word(line.account).partition(" ")[2]


class EntrySerializer(serializers.ModelSerializer):
    """One entry carries its lines; in a list they are left out."""

    number = serializers.CharField(source="__str__", read_only=True)
    reversed_by = serializers.SerializerMethodField(help_text=_("The entry that takes it back."))
    lines = LineSerializer(many=True, read_only=True)

    class Meta:
        model = JournalEntry
        fields = (
            "id", "number", "business_date", "value_date", "event", "office", "loan", "total", "rules", "reference",
            "source", "event_id", "reverses", "reversed_by", "posted_at", "lines",
        )  # fmt: skip
        read_only_fields = fields
        only_alone = ("reversed_by", "lines")

    def get_reversed_by(self, entry: JournalEntry) -> int | None:
        reversal = getattr(entry, "reversed_by", None)
        return reversal.pk if reversal else None


class EntryTable(NounTable):
    number = LinkColumn(accessor="__str__", verbose_name=_("number"), orderable=False, footer=_("Total"))
    business_date = DateColumn()
    event = tables.Column()
    loan = tables.Column(accessor="loan__number", verbose_name=_("Loan number"), orderable=False)
    office = tables.Column()
    total = MoneyColumn(footer=total("total"))
    posted_at = DateColumn()

    class Meta(NounTable.Meta):
        model = JournalEntry
        fields = ("number", "business_date", "event", "loan", "office", "total", "posted_at")


class EntryFilter(FilterSet):
    event = ChoiceFilter(choices=EventWord.choices, label=_("Event"))
    account = ChoiceFilter(
        choices=account_choices, method="with_account", label=pgettext_lazy("bookkeeping", "Account")
    )
    booked_from = DateFilter(field_name="business_date", lookup_expr="gte", label=_("Booked from"))
    booked_until = DateFilter(field_name="business_date", lookup_expr="lte", label=_("Booked until"))
    within = NumberFilter(method="within_office", label=_("Office and all below it"))

    class Meta:
        model = JournalEntry
        fields = {"loan": ["exact"], "office": ["exact"], "reverses": ["exact"]}

    def with_account(self, rows: QuerySet[JournalEntry], name: str, value: str) -> QuerySet[JournalEntry]:
        lines = JournalLine.objects.filter(entry=OuterRef("pk"), date=OuterRef("business_date"), account=value)
        return rows.filter(Exists(lines))

    def within_office(self, rows: QuerySet[JournalEntry], name: str, value: Any) -> QuerySet[JournalEntry]:
        office = Office.objects.filter(pk=int(value)).first() if value < 2**63 else None
        return rows.filter(office__path__startswith=office.path) if office else rows.none()


def _search(rows: QuerySet[JournalEntry], words: str) -> QuerySet[JournalEntry]:
    digits = words.upper().removeprefix("J-").lstrip("0")
    by_number = rows.filter(pk=digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else rows.none()
    return by_number | rows.filter(loan__number__icontains=words) | rows.filter(reference__icontains=words)


def _events(entry: JournalEntry) -> QuerySet[Event]:
    """The event it was posted with; of a night's, the event of its step and part."""
    rows = Event.objects.filter(business_date=entry.business_date)
    if entry.event_id:
        return rows.filter(pk=entry.event_id)
    step, _slash, part = entry.source.partition("/")
    return rows.filter(name=f"sweep_run.{step}", after__part=int(part or 0))


#: The rows by loan that a night's entry sums up: event → route of their list.
BEHIND = {"accrual": "accrual-list", "provision": "loan_day-list"}


def _context(entry: JournalEntry, actor: Actor) -> dict[str, Any]:
    lines = entry.lines.filter(date=entry.business_date).order_by("account", "family")
    shown = [(line, account_word(line.account), family_word(line.family), _behind(entry, line)) for line in lines]
    booked = (entry.reference or "").removeprefix("repayment:")
    repayment = visible(Repayment, actor).filter(pk=booked).first() if booked.isdigit() else None
    return {
        "lines": shown,
        "reversal": getattr(entry, "reversed_by", None),
        "repayment": repayment,
        "loan_url": url_of(entry.loan) if entry.loan else "",
    }


def _behind(entry: JournalEntry, line: JournalLine) -> str:
    """The list of what a line sums up, loan by loan; empty for an entry of one loan."""
    route = "" if entry.loan_id or entry.reverses_id else BEHIND.get(entry.event, "")
    query = {"date": entry.business_date, "office": entry.office_id, "family": line.family}
    return f"{reverse(route)}?{urlencode(query)}" if route else ""


ENTRY_NOUN = register(
    Noun(
        name="journal_entry",
        plural="journal-entries",
        model=JournalEntry,
        readers=LEDGER_READERS,
        serializer=EntrySerializer,
        table=EntryTable,
        filterset=EntryFilter,
        section="account_for",
        icon="book-2",
        search=_search,
        related=("loan", "reverses", "reversed_by"),
        api_ordering=("id", "business_date", "total"),
        template="loans/journal_entry.html",
        context=_context,
        events=_events,
    )
)


class AccrualSerializer(serializers.ModelSerializer):
    loan_number = serializers.CharField(source="loan.number", read_only=True)

    class Meta:
        model = Accrual
        fields = ("id", "loan", "loan_number", "date", "interest", "penalty")
        read_only_fields = fields


class AccrualTable(NounTable):
    loan = LinkColumn(accessor="loan__number", linkify=lambda record: url_of(record.loan), footer=_("Total"))
    date = DateColumn()
    interest = MoneyColumn(footer=total("interest"))
    penalty = MoneyColumn(footer=total("penalty"))

    class Meta(NounTable.Meta):
        model = Accrual
        fields = ("loan", "date", "interest", "penalty")


class AccrualFilter(FilterSet):
    date = DateFilter(label=_("Day"))
    family = ChoiceFilter(field_name="loan__product_family", choices=Product.Family.choices, label=_("Family"))
    office = NumberFilter(field_name="loan__office", label=_("Office"))

    class Meta:
        model = Accrual
        fields = {"loan": ["exact"]}


register(
    Noun(
        name="accrual",
        plural="accruals",
        model=Accrual,
        readers=LOAN_READERS,
        serializer=AccrualSerializer,
        table=AccrualTable,
        filterset=AccrualFilter,
        section="account_for",
        icon="calendar-stats",
        search=lambda rows, words: rows.filter(loan__number__icontains=words),
        related=("loan",),
        ordering=("-date", "loan"),
        api_ordering=("id", "date"),
        in_navigation=False,
        facts=lambda row, actor: [
            (_("Loan number"), row.loan),
            (_("Day"), row.date),
            (_("Interest"), row.interest),
            (_("Penalty interest"), row.penalty),
        ],
        events=lambda row: Event.objects.filter(name="sweep_run.accrue", business_date=row.date),
    )
)
