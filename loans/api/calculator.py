"""What a loan would cost, and what would happen to it: quotes and simulations over the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from branch.domain.calendar import MonthEnd
from branch.domain.money import CENT
from branch.web.api import OnceMixin
from loans.domain.allocation import DueKind
from loans.domain.daycount import DayCount
from loans.domain.periods import MONTHLY, Frequency, Unit
from loans.domain.servicing import EventType, PayoffInterest, Surplus
from loans.domain.servicing.events import DEFAULT_ALLOCATION
from loans.domain.terms import MOST_INSTALMENTS, Fee, FeeOn, PlanRow, RepaymentMethod
from loans.models import product
from loans.queries import calculator

#: Kinds of an allocation order by the names other systems give them: `past_due_interest` is interest.
_WHEN = ("past_due_", "overdue_", "in_advance_", "current_", "due_")


class MoneyField(serializers.DecimalField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=16, decimal_places=2, **kwargs)


class AnswerField(serializers.DecimalField):
    """A figure as it was worked out, its places with it. Sums may be longer than any amount that can be asked about."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=None, decimal_places=None, **kwargs)


class RateField(serializers.DecimalField):
    """A yearly rate as a fraction: 12 % is 0.12."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=12, decimal_places=10, min_value=Decimal(0), **kwargs)


class CodeField(serializers.ChoiceField):
    """One of the members of an enumeration, by its value; `choices` where these have names for people."""

    def __init__(self, codes: Any, choices: Any = None, **kwargs: Any) -> None:
        self.codes = codes
        super().__init__(choices=choices or [code.value for code in codes], **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return self.codes(super().to_internal_value(data))


class FrequencySerializer(serializers.Serializer):
    unit = CodeField(Unit, default=Unit.MONTH)
    every = serializers.IntegerField(min_value=1, max_value=1200, default=1)


class FeeSerializer(serializers.Serializer):
    amount = MoneyField(min_value=Decimal(0))
    on = CodeField(FeeOn)


class PlanRowSerializer(serializers.Serializer):
    due_date = serializers.DateField()
    principal = MoneyField(min_value=Decimal(0))


class QuoteRequestSerializer(serializers.Serializer):
    """Terms of a loan. Amounts in yuan, rates as fractions a year; grace and free periods count instalments.

    An agreed plan has a `plan`, one row per instalment, in place of `instalments` and `frequency`.
    """

    principal = MoneyField(min_value=CENT)
    annual_rate = RateField()
    start_date = serializers.DateField(help_text=_("The day the money is paid out; the first day that bears interest."))
    repayment_method = CodeField(RepaymentMethod, product.RepaymentMethod.choices)
    day_count = CodeField(DayCount, product.DayCount.choices)
    instalments = serializers.IntegerField(required=False, min_value=1, max_value=MOST_INSTALMENTS)
    plan = serializers.ListField(child=PlanRowSerializer(), required=False, max_length=MOST_INSTALMENTS)
    frequency = FrequencySerializer(required=False)
    first_due_date = serializers.DateField(required=False, allow_null=True)
    due_day = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=31)
    month_end = CodeField(MonthEnd, default=MonthEnd.CLAMP)
    principal_grace = serializers.IntegerField(min_value=0, default=0)
    interest_free = serializers.IntegerField(min_value=0, default=0)
    interest_grace = serializers.IntegerField(min_value=0, default=0)
    instalment_rounding = MoneyField(min_value=CENT, default=CENT)
    fees = FeeSerializer(many=True, required=False)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        plan = values.get("plan", ())
        if values["repayment_method"] is RepaymentMethod.AGREED_PLAN and not plan:
            raise serializers.ValidationError({"plan": [_("Say what is repaid on which day.")]})
        if "instalments" not in values and not plan:
            raise serializers.ValidationError({"instalments": [_("This field is required.")]})
        return {"instalments": len(plan)} | values

    def terms(self) -> dict[str, Any]:
        """What ScheduleTerms takes."""
        values = {name: value for name, value in self.validated_data.items() if name in QuoteRequestSerializer().fields}
        frequency = values.pop("frequency", None)
        return values | {
            "frequency": Frequency(**frequency) if frequency else MONTHLY,
            "fees": tuple(Fee(**fee) for fee in values.get("fees", ())),
            "plan": tuple(PlanRow(**row) for row in values.get("plan", ())),
        }


class EventRequestSerializer(serializers.Serializer):
    """One event. A drawdown, fee, penalty and repayment need `amount`; a rate change and a misuse `annual_rate`; an
    interest pause `until`, the day from which interest runs again; added instalments and a principal grace `count`; a
    waiver `amount` and the `kind` that is waived."""

    date = serializers.DateField()
    type = CodeField(EventType)
    amount = MoneyField(required=False, min_value=CENT)
    annual_rate = RateField(required=False)
    until = serializers.DateField(required=False)
    count = serializers.IntegerField(required=False, min_value=1, max_value=MOST_INSTALMENTS)
    kind = CodeField(DueKind, required=False)
    penalty_rate = RateField(required=False)


class AllocationField(serializers.ListField):
    """Kinds in the order they are paid; those left out come last in their usual order."""

    child = serializers.CharField(max_length=40)

    def to_internal_value(self, data: Any) -> Any:
        kinds: list[DueKind] = []
        for name in super().to_internal_value(data):
            plain = name.lower()
            for prefix in _WHEN:
                plain = plain.removeprefix(prefix)
            if plain not in {kind.value for kind in DueKind}:
                raise serializers.ValidationError(_("There is no kind “%(name)s”.") % {"name": name})
            kinds.append(DueKind(plain))
        return tuple(dict.fromkeys([*kinds, *DEFAULT_ALLOCATION]))


class SimulationRequestSerializer(QuoteRequestSerializer):
    """Terms, and what happens to the loan. `as_of` is the day to say where the loan is, by default that of the last
    event; the rows take in all events."""

    events = serializers.ListField(child=EventRequestSerializer(), required=False, max_length=calculator.MOST_EVENTS)
    surplus = CodeField(Surplus, default=Surplus.NEXT_INSTALMENT)
    payoff_interest = CodeField(PayoffInterest, default=PayoffInterest.TO_DATE)
    allocation = AllocationField(required=False)
    by_kind = serializers.BooleanField(
        default=False, help_text=_("Pay each kind over all instalments before the next kind.")
    )
    late_interest = serializers.BooleanField(
        required=False, help_text=_("Principal that falls due and stays out goes on bearing interest.")
    )
    grace_days = serializers.IntegerField(min_value=0, max_value=365, default=0)
    as_of = serializers.DateField(required=False, allow_null=True)

    def servicing(self) -> dict[str, Any]:
        names = ("surplus", "payoff_interest", "allocation", "by_kind", "grace_days", "late_interest")
        return {name: self.validated_data[name] for name in names if name in self.validated_data}


class RowSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    due_date = serializers.DateField()
    days = serializers.IntegerField()
    principal = AnswerField()
    interest = AnswerField()
    fees = AnswerField()
    total = AnswerField()
    balance = AnswerField()


class TotalsSerializer(serializers.Serializer):
    principal = AnswerField()
    interest = AnswerField()
    fees = AnswerField(help_text=_("Fees kept back at the start are in it."))
    total = AnswerField()


class QuoteSerializer(serializers.Serializer):
    rows = RowSerializer(many=True)
    totals = TotalsSerializer()
    apr_simple = AnswerField(allow_null=True)
    apr_irr = AnswerField(allow_null=True)


class ServedRowSerializer(RowSerializer):
    penalties = AnswerField(help_text=_("What of the fees is penalties."))
    paid = AnswerField()
    outstanding = AnswerField()


class ServedTotalsSerializer(serializers.Serializer):
    principal = AnswerField()
    interest = AnswerField()
    fees = AnswerField()
    penalties = AnswerField()
    total = AnswerField()
    paid = AnswerField()
    outstanding = AnswerField()


class StandingSerializer(serializers.Serializer):
    date = serializers.DateField(source="as_of")
    accrued_interest = AnswerField(help_text=_("Interest of the running period up to the day, not yet due."))
    past_due_days = serializers.IntegerField()
    delinquent_days = serializers.IntegerField(help_text=_("Days past due less the grace days."))
    overdue_amount = AnswerField()
    payoff_amount = AnswerField()
    outstanding_principal = AnswerField()
    held = AnswerField(help_text=_("Paid beyond all that is owed, kept for the borrower."))


class SimulationSerializer(serializers.Serializer):
    rows = ServedRowSerializer(many=True)
    totals = ServedTotalsSerializer()
    as_of = StandingSerializer()


class QuoteView(OnceMixin, APIView):
    """A repayment plan and its annualised cost, from terms alone."""

    @extend_schema(
        tags=["quotes"], operation_id="quotes_create", request=QuoteRequestSerializer, responses=QuoteSerializer
    )
    def post(self, request: Request) -> Response:
        """`apr_simple` is the periodic rate times the periods of a year, `apr_irr` the same compounded."""
        asked = QuoteRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(QuoteSerializer(calculator.quote(asked.terms())).data)


class SimulationView(OnceMixin, APIView):
    """What becomes of a loan when these things happen to it."""

    @extend_schema(
        tags=["quotes"],
        operation_id="simulations_create",
        request=SimulationRequestSerializer,
        responses=SimulationSerializer,
    )
    def post(self, request: Request) -> Response:
        """Rows with what is paid on them, and the loan's standing at the end of `as_of`."""
        asked = SimulationRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        found = calculator.simulate(asked.terms(), values.get("events", []), asked.servicing(), values.get("as_of"))
        return Response(SimulationSerializer(found).data)
