"""Credit lines: what is left, what stands before the money, what was drawn."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import BooleanFilter, ChoiceFilter, DateFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.timeline import events_of_file
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, MoneyField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.panels import panels_of
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, StateColumn
from loans.domain.machines import FACILITY
from loans.models import Condition, Drawdown, Facility
from loans.queries.facilities import MAY_BE_ASKED, open_conditions, undrawn_amount
from loans.services import drawdowns, facilities, renewals

FACILITY_READERS = frozenset(
    {
        Role.ACCOUNT_MANAGER,
        Role.DISBURSEMENT_OFFICER,
        Role.LOAN_ACCOUNTANT,
        Role.POST_LOAN_OFFICER,
        Role.BRANCH_MANAGER,
        Role.AUDITOR,
    }
)


class PayeesField(forms.JSONField):
    """A list of payees, `[{"name", "account", "amount", "purpose"}]`; on a page one a line, parts set off by commas."""

    widget = forms.Textarea(attrs={"rows": 3, "autocomplete": "off"})

    def to_python(self, value: Any) -> Any:
        lines = [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else value or []
        try:
            return [self._payee(line) for line in lines]
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise ValidationError(_("A line is a payee: name, account, amount, purpose.")) from error

    def _payee(self, line: Any) -> dict[str, Any]:
        if isinstance(line, str):
            name, account, *rest = re.split(r"\s*[,，;；\t]\s*", line.strip())
            # 1,200.00 was taken apart by its own comma.
            *amount, purpose = rest
            line = {"name": name, "account": account, "amount": "".join(amount), "purpose": purpose}
        facts = {part: str(line[part]) for part in ("name", "account", "purpose")}
        return facts | {"amount": Decimal(str(line["amount"]))}

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


class DrawdownForm(ActionForm):
    amount = MoneyField(label=_("Amount"))
    payee_name = forms.CharField(label=_("Payee"), max_length=120, required=False)
    payee_account = forms.CharField(
        label=_("Payee account"), max_length=60, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    payees = PayeesField(
        label=_("Several payees"),
        required=False,
        help_text=_("In place of the one above, one a line: name, account, amount, purpose."),
    )
    purpose = forms.CharField(label=_("Purpose"), max_length=200)


class LimitForm(ReasonForm):
    limit_amount = MoneyField(label=_("Limit"))
    field_order = ("limit_amount", "reason")


class FacilitySerializer(serializers.ModelSerializer):
    number = serializers.CharField(source="contract.number", read_only=True)
    undrawn_amount = serializers.SerializerMethodField(help_text=_("Limit less what is drawn."))

    class Meta:
        model = Facility
        fields = (
            "id", "state", "version", "number", "contract", "application", "customer", "owner", "office",
            "limit_amount", "drawn_amount", "undrawn_amount", "maturity_date", "is_revolving", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_undrawn_amount(self, facility: Facility) -> str:
        return str(facility.limit_amount - facility.drawn_amount)


class FacilityTable(NounTable):
    number = LinkColumn(accessor="contract__number", verbose_name=_("Contract number"))
    customer = tables.Column()
    limit_amount = MoneyColumn()
    drawn_amount = MoneyColumn()
    maturity_date = DateColumn()
    state = StateColumn()

    class Meta(NounTable.Meta):
        model = Facility
        fields = ("number", "customer", "limit_amount", "drawn_amount", "maturity_date", "is_revolving", "state")


class FacilityFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(FACILITY), label=_("State"))
    matures_until = DateFilter(field_name="maturity_date", lookup_expr="lte", label=_("Matures until"))
    has_room = BooleanFilter(method="with_room", label=_("Something left to draw"))

    class Meta:
        model = Facility
        fields = {"application": ["exact"], "customer": ["exact"], "contract": ["exact"]}

    def with_room(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        room = {"drawn_amount__lt": F("limit_amount")}
        return rows.filter(**room) if value else rows.exclude(**room)


def search_facilities(rows: QuerySet, text: str) -> QuerySet:
    return rows.filter(contract__number__icontains=text) | rows.filter(customer__name__icontains=text)


def _context(facility: Facility, actor: Actor) -> dict[str, Any]:
    drawn = visible(Drawdown, actor).filter(facility=facility).select_related("loan").order_by("pk")
    may_see_conditions = visible(Condition, actor).filter(application_id=facility.application_id)
    return {
        "left": undrawn_amount(facility),
        "conditions": may_see_conditions.select_related("document").order_by("pk"),
        "drawdowns": drawn,
        "panels": panels_of("facility", facility, actor),
    }


def _is_settled(facility: Facility) -> bool:
    return not open_conditions(facility.application_id).exists()


def _may_draw(facility: Facility) -> bool:
    return facility.state in MAY_BE_ASKED and undrawn_amount(facility) > 0


FACILITY_NOUN = register(
    Noun(
        name="facility",
        plural="facilities",
        model=Facility,
        readers=FACILITY_READERS,
        serializer=FacilitySerializer,
        table=FacilityTable,
        filterset=FacilityFilter,
        section="lend",
        icon="credit-card",
        search=search_facilities,
        related=("contract", "customer", "owner", "application"),
        template="loans/facility.html",
        context=_context,
        events=events_of_file,
        actions=(
            Action(
                "request-drawdown",
                _("Request a drawdown"),
                drawdowns.request_drawdown,
                form=DrawdownForm,
                roles=frozenset({Role.ACCOUNT_MANAGER}),
                tone="primary",
                status=201,
                when=lambda facility: _may_draw(facility) and not facility.application.renews_id,
            ),
            Action(
                "request-renewal",
                _("Ask for the renewal"),
                renewals.request_renewal,
                roles=frozenset({Role.ACCOUNT_MANAGER}),
                tone="primary",
                status=201,
                when=lambda facility: _may_draw(facility) and facility.application.renews_id is not None,
                confirm=_("The line takes over what the old loan owes today. No money is paid out."),
            ),
            Action(
                "make-effective",
                _("Make effective"),
                facilities.make_effective,
                event="make_effective",
                tone="primary",
                when=_is_settled,
                confirm=_("Every condition is settled. Money may be released from this line from now on."),
            ),
            Action("freeze", _("Freeze"), facilities.freeze_facility, form=ReasonForm, event="freeze", tone="danger"),
            Action("unfreeze", _("Unfreeze"), facilities.unfreeze_facility, form=ReasonForm, event="unfreeze"),
            Action(
                "change-limit",
                _("Change the limit"),
                facilities.change_facility_limit,
                form=LimitForm,
                roles=facilities.LIMIT_SETTERS,
                when=lambda facility: facility.state in ("effective", "frozen"),
                initial=lambda actor, facility: {"limit_amount": facility.limit_amount},
            ),
            Action("cancel", _("Cancel"), facilities.cancel_facility, form=ReasonForm, event="cancel", tone="danger"),
            Action("close", _("Close"), facilities.close_facility, event="close"),
        ),
    )
)
