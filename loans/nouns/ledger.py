"""The trial balance by office and day, the files for the general ledger, and the posting rules."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters import ChoiceFilter, DateFilter, FilterSet, NumberFilter
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.models import Event, Office
from branch.queries.business_date import business_date
from branch.web.forms import ActionForm, DateField
from branch.web.noun import Action, Noun, register
from branch.web.policies import policy_actions, version_facts, waiting_for
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn, StateColumn
from loans.domain.ledger import FAMILIES
from loans.domain.machines import POLICY
from loans.models import AccountBalance, LedgerDay, PostingRuleSet
from loans.nouns.accounts import EVENT_WORDS, KIND_WORDS, account_word, family_word, rule_account_word
from loans.nouns.fields import LinesField
from loans.queries.ledger import (
    TrialBalance,
    parse_rules,
    readable_offices,
    rules_in_force,
    stored_rules,
    trial_balance_for,
)
from loans.queries.visibility_lending import LEDGER_READERS, RULE_READERS
from loans.services import posting_rules

# --- trial balance


class TrialBalanceForm(ActionForm):
    office_id = forms.ModelChoiceField(
        label=_("Office"), queryset=Office.objects.none(), required=False, help_text=_("With all offices below it.")
    )
    day = DateField(label=_("Day"), required=False, help_text=_("Empty: the business date."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office_id"].queryset = readable_offices(self.actor)  # type: ignore[attr-defined]


class TrialRowSerializer(serializers.Serializer):
    account = serializers.CharField(source="account.code")
    name = serializers.SerializerMethodField()
    nature = serializers.CharField(source="account.nature")
    opening = serializers.DecimalField(18, 2, help_text=_("Debits less credits."))
    debit = serializers.DecimalField(18, 2)
    credit = serializers.DecimalField(18, 2)
    closing = serializers.DecimalField(18, 2, help_text=_("Debits less credits."))

    def get_name(self, row: Any) -> str:
        return account_word(row.account.code).partition(" ")[2]


class TrialTotalsSerializer(serializers.Serializer):
    opening_debit = serializers.DecimalField(18, 2)
    opening_credit = serializers.DecimalField(18, 2)
    debit = serializers.DecimalField(18, 2)
    credit = serializers.DecimalField(18, 2)
    closing_debit = serializers.DecimalField(18, 2)
    closing_credit = serializers.DecimalField(18, 2)


class TrialBalanceSerializer(serializers.Serializer):
    office = serializers.IntegerField(source="office.pk")
    date = serializers.DateField()
    is_closed = serializers.BooleanField(help_text=_("Whether the night has stored this day."))
    is_tied = serializers.BooleanField(help_text=_("Whether debits equal credits in every pair of columns."))
    rows = TrialRowSerializer(many=True)
    totals = TrialTotalsSerializer()


class BalanceSerializer(serializers.ModelSerializer):
    class Meta:
        model = AccountBalance
        fields = ("id", "office", "date", "family", "account", "opening", "debit", "credit", "closing")
        read_only_fields = fields


class BalanceTable(NounTable):
    date = DateColumn()
    office = tables.Column()
    account = LinkColumn()
    family = tables.Column()
    opening = MoneyColumn()
    debit = MoneyColumn()
    credit = MoneyColumn()
    closing = MoneyColumn()

    class Meta(NounTable.Meta):
        model = AccountBalance
        fields = ("date", "office", "account", "family", "opening", "debit", "credit", "closing")

    def render_account(self, value: str) -> str:
        return account_word(value)

    def render_family(self, value: str) -> str:
        return family_word(value)


class BalanceFilter(FilterSet):
    date = DateFilter(label=_("Day"))
    within = NumberFilter(method="within_office", label=_("Office and all below it"))

    class Meta:
        model = AccountBalance
        fields = {"account": ["exact"], "office": ["exact"], "family": ["exact"]}

    def within_office(self, rows: Any, name: str, value: Any) -> Any:
        office = Office.objects.filter(pk=int(value)).first() if value < 2**63 else None
        return rows.filter(office__path__startswith=office.path) if office else rows.none()


def find_trial_balance(*, actor: Actor, office_id: int | None = None, day: Any = None) -> TrialBalance:
    """The accounts of an office and all below it on a day, with totals that tie. Reads only. Raises NotFound."""
    return trial_balance_for(actor, office_id, day)


BALANCE_NOUN = register(
    Noun(
        name="account_balance",
        plural="account-balances",
        model=AccountBalance,
        readers=LEDGER_READERS,
        serializer=BalanceSerializer,
        table=BalanceTable,
        filterset=BalanceFilter,
        section="account_for",
        icon="scale",
        ordering=("-date", "office", "account", "family"),
        api_ordering=("id", "date"),
        list_template="loans/trial_balance.html",
        events=lambda row: Event.objects.filter(name="sweep_run.balances", business_date=row.date),
        facts=lambda row, actor: [
            (_("Day"), row.date),
            (_("Office"), row.office),
            (pgettext_lazy("bookkeeping", "Account"), account_word(row.account)),
            (_("Family"), family_word(row.family)),
            (_("Opening balance"), row.opening),
            (pgettext_lazy("bookkeeping", "Debit"), row.debit),
            (pgettext_lazy("bookkeeping", "Credit"), row.credit),
            (_("Closing balance"), row.closing),
        ],
        actions=(
            Action(
                "trial-balance",
                _("Trial balance"),
                find_trial_balance,
                form=TrialBalanceForm,
                on="list",
                roles=LEDGER_READERS,
                answer=lambda found: dict(TrialBalanceSerializer(found).data),
                answer_serializer=TrialBalanceSerializer,
                answer_template="loans/trial_balance_found.html",
            ),
        ),
    )
)


# --- files for the general ledger


class LedgerDaySerializer(serializers.ModelSerializer):
    class Meta:
        model = LedgerDay
        fields = ("id", "date", "entries", "lines", "debit", "credit", "digest", "closed_at")
        read_only_fields = fields


class LedgerDayTable(NounTable):
    date = LinkColumn()
    entries = NumberColumn()
    lines = NumberColumn()
    debit = MoneyColumn()
    credit = MoneyColumn()
    closed_at = DateColumn()

    class Meta(NounTable.Meta):
        model = LedgerDay
        fields = ("date", "entries", "lines", "debit", "credit", "closed_at")


class LedgerDayFilter(FilterSet):
    class Meta:
        model = LedgerDay
        fields = {"date": ["exact", "gte", "lte"]}


register(
    Noun(
        name="ledger_day",
        plural="ledger-days",
        model=LedgerDay,
        readers=LEDGER_READERS,
        serializer=LedgerDaySerializer,
        table=LedgerDayTable,
        filterset=LedgerDayFilter,
        section="account_for",
        icon="file-export",
        ordering=("-date",),
        api_ordering=("id", "date"),
        template="loans/ledger_day.html",
        events=lambda row: Event.objects.filter(name="sweep_run.balances", business_date=row.date),
        facts=lambda row, actor: [
            (_("Day"), row.date),
            (_("Journal entries"), row.entries),
            (_("Postings"), row.lines),
            (pgettext_lazy("bookkeeping", "Debit"), row.debit),
            (pgettext_lazy("bookkeeping", "Credit"), row.credit),
            (_("Digest"), row.digest),
            (_("Closed at"), row.closed_at),
        ],
    )
)


# --- posting rules


class RulesForm(ActionForm):
    """A rule a line: event, kind, family (* for any), account debited, account credited."""

    loan_accounts = LinesField(
        label=_("Principal accounts"), help_text=_("A family and its account on each line: term 130303.")
    )
    rules = LinesField(
        label=_("Rules"),
        help_text=_(
            "Event, kind, family, account debited, account credited on each line: repayment interest * 300101 113201. "
            "The family * is any; the account loans is the principal account of the family."
        ),
    )

    def clean_loan_accounts(self) -> dict[str, str]:
        return dict(_columns(self.cleaned_data["loan_accounts"], 2))

    def clean_rules(self) -> list[list[str]]:
        return _columns(self.cleaned_data["rules"], 5)

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        """`values` as the service takes them, over those that stand where only some were sent."""
        found = super().values(only)
        kept = dict(self.instance.values) if self.instance is not None else {}  # type: ignore[attr-defined]
        return {"values": kept | found}


def _columns(lines: list[str], count: int) -> list[list[str]]:
    rows = [line.split() for line in lines]
    if wrong := [" ".join(row) for row in rows if len(row) != count]:
        raise ValidationError(
            _("This line does not have %(count)s words: %(line)s"), params={"count": count, "line": wrong[0]}
        )
    return rows


def _as_lines(values: dict[str, Any]) -> dict[str, list[str]]:
    return {
        "loan_accounts": [f"{family} {code}" for family, code in values["loan_accounts"].items()],
        "rules": [" ".join(row) for row in values["rules"]],
    }


class RuleSetSerializer(serializers.ModelSerializer):
    class Meta:
        model = PostingRuleSet
        fields = (
            "id", "state", "version", "number", "values", "drafted_by", "activated_by", "active_from_date", "office",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields


class RuleSetTable(NounTable):
    number = LinkColumn()
    state = StateColumn()
    active_from_date = DateColumn()
    drafted_by = tables.Column(verbose_name=_("drafted by"))

    class Meta(NounTable.Meta):
        model = PostingRuleSet
        fields = ("number", "state", "active_from_date", "drafted_by")


class RuleSetFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(POLICY), label=_("State"))

    class Meta:
        model = PostingRuleSet
        fields: list[str] = []


def rule_lines(values: dict[str, Any]) -> dict[str, Any]:
    """A rule set in words, for one screen: (event, kind, family, debit, credit), and the principal accounts."""
    rules = parse_rules("", values)
    return {
        "rules": [
            (
                EVENT_WORDS.get(rule.event, rule.event),
                KIND_WORDS.get(rule.kind, rule.kind),
                family_word(rule.family),
                rule_account_word(rule.debit),
                rule_account_word(rule.credit),
            )
            for rule in rules.rules
        ],
        "loan_accounts": [(family_word(family), account_word(rules.loan_accounts[family])) for family in FAMILIES],
    }


register(
    Noun(
        name="posting_rule_set",
        plural="posting-rules",
        model=PostingRuleSet,
        readers=RULE_READERS,
        serializer=RuleSetSerializer,
        table=RuleSetTable,
        filterset=RuleSetFilter,
        section="account_for",
        icon="arrows-exchange",
        search=lambda rows, words: rows.filter(Q(number=words) if words.isdigit() and len(words) < 9 else Q(pk=None)),
        related=("drafted_by", "activated_by"),
        ordering=("-number",),
        template="loans/posting_rule_set.html",
        list_template="loans/posting_rules.html",
        context=lambda row, actor: {"shown": rule_lines(row.values)},
        facts=lambda row, actor: [
            (_("Version"), row.number),
            *version_facts(row),
        ],
        open_work=waiting_for,
        actions=policy_actions(
            label=_("Draft posting rules"),
            confirm=_("Everything booked from that day on follows them; the former version is retired."),
            drafters=posting_rules.DRAFTERS,
            draft=posting_rules.draft_posting_rules,
            submit=posting_rules.submit_posting_rules,
            activate=posting_rules.activate_posting_rules,
            update=posting_rules.update_posting_rules,
            reject=posting_rules.reject_posting_rules,
            form=RulesForm,
            initial=lambda actor, row: _as_lines(row.values),
            draft_initial=lambda actor, row: _as_lines(stored_rules(rules_in_force(business_date()))),
        ),
    )
)
