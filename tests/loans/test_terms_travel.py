"""What a product sets travels: version, quote, contract, loan; and a running file keeps its version."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from branch.domain.refusals import InvalidInput, Unmet
from branch.models import CalendarOverride, PaymentInstruction
from customers.queries.size_classes import size_class_of
from loans.domain.ledger import CLEARING
from loans.domain.product_terms import ProductTerms
from loans.domain.servicing import Surplus
from loans.models import Application, JournalLine, LprRate
from loans.queries.offer_fit import eligibility
from loans.queries.terms import rate_periods, terms_of
from loans.services import applications, drawdowns, offers
from loans.services.contracts import generate_contract, sign_contract
from loans.services.documents import _contract_data
from loans.services.lending import schedule_of
from loans.services.pricing import price_application, problems_of
from tests.customers.making import make_customer
from tests.loans.given import checked_drawdown, effective_line, everything, paid_out_loan
from tests.loans.making import draft_file, product_on_sale, signed_file, submitted_file

FEES = [
    {"name_zh": "手续费", "name_en": "Handling fee", "kind": "percent", "value": "0.005", "on": "start"},
    {"name_zh": "账户费", "name_en": "Account fee", "kind": "fixed", "value": "10.00", "on": "each"},
]
RICH: dict[str, Any] = {
    "due_day_rule": "fixed",
    "due_day": 20,
    "month_end": "roll",
    "holiday_roll": "following",
    "interest_follows_holiday": True,
    "max_principal_grace": 3,
    "max_interest_grace": 2,
    "instalment_rounding": Decimal("1.00"),
    "fees": FEES,
    "overdue_uplift": Decimal("0.40"),
    "misuse_uplift": Decimal("0.80"),
    "penalty_compounds": False,
    "grace_days": 3,
    "allocation_sequence": "bucket_first",
    "prepayment_allowed": False,
    "surplus": "lower_instalment",
    "payoff_interest": "to_period_end",
    "offer_validity_days": 30,
    "rate_kind": "floating",
    "repricing": "every_months",
    "repricing_months": 12,
    "day_count": "actual/360",
    "max_term_days": 1130,
}


def approved(actor, application):
    """As if the review had approved the whole amount today."""
    Application.objects.filter(pk=application.pk).update(state="in_review")
    offers.approve_application(
        actor=actor("qian"), application_id=application.pk, amount=application.amount, conditions=[], reason="同意"
    )
    return Application.objects.get(pk=application.pk)


def signed(actor, application):
    lin = actor("lin")
    offers.accept_offer(actor=lin, application_id=application.pk)
    contract = generate_contract(actor=lin, application_id=application.pk)
    return sign_contract(actor=lin, contract_id=contract.pk)


def test_all_terms_travel_from_the_version_to_the_schedule(cast, actor):
    version = product_on_sale(actor, **RICH)
    application = submitted_file(actor, principal_grace=2)

    quoted = ProductTerms.from_json(application.quote["terms"])
    assert (quoted.due_day, quoted.principal_grace, quoted.grace_days) == (20, 2, 3)
    assert (quoted.surplus, quoted.prepayment_allowed) == (Surplus.LOWER_INSTALMENT, False)
    assert quoted.floating is not None
    # Over twelve months: the over-five-year LPR of 3.50 % + 0.85 %.
    assert (quoted.floating.spread_bp, quoted.floating.lpr_term) == (Decimal("85.00"), "5y_plus")
    assert application.quote["start_fees"] == "4000.00"
    assert application.quote["fees_total"] == "4360.00"

    # The next version changes nothing for a file that runs.
    product_on_sale(actor, version.product, fees=[], due_day=5, overdue_uplift=Decimal("0.50"))
    application = approved(actor, application)
    assert application.offer_expires_date == date(2026, 4, 1)
    contract = signed(actor, application)
    assert terms_of(contract) == quoted
    assert contract.penalty_rate == Decimal("0.060900")  # 4.35 % × 1.40

    schedule = schedule_of(contract, contract.amount, date(2026, 3, 2))
    assert schedule.start_fees == Decimal("4000.00")
    assert {row.fees for row in schedule.rows} == {Decimal("10.00")}
    assert [row.principal for row in schedule.rows[:2]] == [Decimal(0), Decimal(0)]
    # 2026-06-20 is a Saturday and the Dragon Boat holiday: the next working day, and the interest goes with it.
    assert [row.due_date.isoformat() for row in schedule.rows[:3]] == ["2026-04-20", "2026-05-20", "2026-06-22"]
    assert [row.period_end for row in schedule.rows] == [row.due_date for row in schedule.rows]


def test_the_contract_prints_what_is_charged(cast, actor):
    product_on_sale(actor, **RICH | {"repayment_methods": ["agreed_plan"], "overdue_uplift": Decimal("0.45")})
    application = submitted_file(actor, repayment_method="agreed_plan", plan=PLAN)
    contract = signed(actor, approved(actor, application))

    # Within a year: 3.00 % + 0.85 %, and 45 % more when overdue.
    assert (contract.annual_rate, contract.penalty_rate) == (Decimal("0.038500"), Decimal("0.055825"))
    with translation.override("en"):
        printed = dict(_contract_data(contract, "en")["terms"])
    assert printed["Annual penalty rate when overdue"] == "5.5825%"
    assert printed["Rate"] == "Floating: LPR +85 bp, priced anew every 12 months"
    assert printed["Agreed plan"] == "2026-08-31 300,000.00; 2027-02-28 500,000.00"
    assert printed["Fees"] == "Handling fee 0.5% kept back at the start, Account fee 10.00 with each instalment"
    assert printed["Early repayment"] == "Not allowed before maturity"


def test_a_loan_keeps_the_terms_of_its_contract(cast):
    terms = ProductTerms(due_day=20, grace_days=3).as_json()
    loan = paid_out_loan(cast, terms=terms)

    assert terms_of(loan) == ProductTerms(due_day=20, grace_days=3)
    assert [row.due_date.day for row in loan.instalments.all()] == [20] * 12
    assert loan.maturity_date == date(2027, 3, 20)
    assert loan.drawdown.facility.maturity_date == date(2027, 3, 20)


def test_a_floating_loan_is_priced_anew_from_the_published_table(cast):
    floating = {
        "rule": "every_months", "months": 3, "lpr_term": "1y", "spread_bp": "150", "floor": "0.03", "cap": "0.12",
    }  # fmt: skip
    for day, rate in ((date(2025, 5, 20), "3.00"), (date(2026, 5, 20), "2.90")):
        LprRate.objects.create(published_date=day, one_year=Decimal(rate), five_year=Decimal("3.50"), source="NIFC")
    loan = paid_out_loan(cast, terms=ProductTerms().as_json() | {"floating": floating})

    periods = rate_periods(loan, date(2026, 9, 1))

    assert [(p.from_date.isoformat(), str(p.annual_rate.normalize())) for p in periods] == [
        ("2026-03-02", "0.045"), ("2026-06-02", "0.044"),
    ]  # fmt: skip
    assert [p.from_date.month for p in rate_periods(loan, date(2026, 12, 31))] == [3, 6, 9, 12]


def test_a_changed_calendar_moves_the_due_day(cast, actor):
    product_on_sale(actor, **RICH)
    CalendarOverride.objects.create(date=date(2026, 4, 20), is_working_day=False, reason="停电")

    quoted = price_application(draft_file(actor))

    assert quoted["rows"][0]["due_date"] == "2026-04-21"
    assert quoted["repricing_dates"] == ["2027-03-02", "2028-03-02", "2029-03-02"]


def test_fees_at_the_start_are_kept_back_from_the_payout_and_booked(cast):
    fee = {"name_zh": "手续费", "name_en": "Handling fee", "kind": "percent", "value": "0.01", "on": "start"}
    loan = paid_out_loan(cast, terms=ProductTerms().as_json() | {"fees": [fee]})

    instruction = PaymentInstruction.objects.get(subject_type="drawdown", subject_id=str(loan.drawdown_id))
    assert (loan.principal, instruction.amount) == (Decimal("300000.00"), Decimal("297000.00"))
    lines = JournalLine.objects.filter(entry__loan=loan).values_list("account", "debit", "credit")
    books: dict[str, Decimal] = {}
    for account, debit, credit in lines:
        books[account] = books.get(account, Decimal(0)) + debit - credit
    # Owed in full, paid out less the fee; nothing of the fee is left to be paid.
    assert {account: total for account, total in books.items() if total} == {
        "130302": Decimal("300000.00"), CLEARING: Decimal("-297000.00"), "602101": Decimal("-3000.00"),
    }  # fmt: skip


def test_a_drawdown_the_fees_would_eat_up_is_not_released(cast):
    fee = {"name_zh": "手续费", "name_en": "Handling fee", "kind": "fixed", "value": "1000.00", "on": "start"}
    line = effective_line(cast, terms=ProductTerms().as_json() | {"fees": [fee]})
    drawdown = checked_drawdown(cast, line, Decimal("1000.00"))
    before = everything()

    with pytest.raises(Unmet):
        drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)

    assert everything() == before


# --- an agreed plan --------------------------------------------------------------------------------------------


PLAN = [
    {"due_date": "2026-08-31", "principal": "300000"},
    {"due_date": "2027-02-28", "principal": "500000.00"},
]


def test_an_agreed_plan_goes_from_the_file_to_the_loan(cast, actor):
    product_on_sale(actor, repayment_methods=["agreed_plan"], day_count="actual/360")
    application = submitted_file(actor, repayment_method="agreed_plan", plan=PLAN)
    assert application.instalments == 2
    assert application.quote["maturity_date"] == "2027-02-28"

    contract = signed(actor, approved(actor, application))
    schedule = schedule_of(contract, Decimal("400000.00"), date(2026, 3, 2))

    assert [str(row.principal) for row in schedule.rows] == ["150000.00", "250000.00"]
    assert contract.facility.maturity_date == date(2027, 2, 28)
    with pytest.raises(Unmet):
        schedule_of(contract, Decimal("400000.00"), date(2026, 8, 31))


@pytest.mark.parametrize(
    "plan",
    [
        [{"due_date": "2026-08-31"}],
        [{"due_date": "31.08.2026", "principal": "1.00"}],
        [{"due_date": "2026-08-31", "principal": "-1.00"}],
        [{"due_date": "2026-08-31", "principal": "0.00"}],
        [{"due_date": "2026-08-31", "principal": "0.001"}],
        [{"due_date": "2026-08-31", "principal": "NaN"}],
        [*PLAN, PLAN[0]],
        ["2026-08-31"],
    ],
)
def test_what_is_no_plan_is_refused(cast, actor, plan):
    product_on_sale(actor, repayment_methods=["agreed_plan", "equal_instalment"])
    application = draft_file(actor)
    before = application.version

    with pytest.raises(InvalidInput) as refused:
        applications.update_application(
            actor=actor("lin"), application_id=application.pk, repayment_method="agreed_plan", plan=plan
        )

    assert list(refused.value.fields) == ["plan"]
    assert Application.objects.get(pk=application.pk).version == before


# --- what the product does not allow -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer", "terms", "field"),
    [
        ({"frequencies": ["month:3"]}, {}, "frequency_every"),
        ({"min_term_days": 1097}, {}, "instalments"),
        ({}, {"principal_grace": 1}, "principal_grace"),
        ({"max_interest_grace": 1}, {"interest_grace": 2}, "interest_grace"),
        ({"max_term_days": 1130}, {"due_day": 15}, "due_day"),
        ({"guarantee_caps": {"credit": {"max_amount": "500000.00"}}}, {}, "guarantee_mode"),
        ({"guarantee_caps": {"credit": {"share": "0.3"}}}, {}, "guarantee_mode"),
        ({"customer_kinds": ["farm_household"]}, {}, "product_id"),
        ({"size_classes": ["micro"]}, {}, "product_id"),
        ({"industries": ["餐饮"]}, {}, "product_id"),
        ({"clusters": ["JB-HW"]}, {}, "product_id"),
        ({"repayment_methods": ["agreed_plan"]}, {"repayment_method": "agreed_plan", "plan": PLAN[:1]}, "plan"),
        ({"repayment_methods": ["agreed_plan"]}, {"repayment_method": "agreed_plan"}, "plan"),
    ],
)
def test_what_the_product_does_not_allow_stops_the_file_by_name(cast, actor, offer, terms, field):
    product_on_sale(actor, **offer)
    customer = make_customer(actor("lin"), employees=34, annual_sales=Decimal("8600000.00"))
    application = draft_file(actor, customer, **terms)

    with pytest.raises(InvalidInput) as refused:
        applications.submit_application(actor=actor("lin"), application_id=application.pk)

    assert list(refused.value.fields) == [field]
    assert Application.objects.get(pk=application.pk).state == "draft"


def test_each_failed_criterion_is_named(cast, actor):
    product_on_sale(actor, customer_kinds=["farm_household"], size_classes=["micro"], industries=["餐饮", "住宿"])
    customer = make_customer(actor("lin"), employees=34, annual_sales=Decimal("8600000.00"))
    application = draft_file(actor, customer)

    assert size_class_of(customer) == "small"
    assert [criterion.holds for criterion in eligibility(application)] == [False, False, False]
    problems = problems_of(application)["product_id"]
    assert len(problems) == 3
    assert "金属制品业" in problems[2]


def test_who_fits_may_have_it(cast, actor):
    product_on_sale(
        actor, customer_kinds=["company"], size_classes=["small"], industries=["金属"], risk_grades=["A", "B"],
        due_day_rule="chosen", max_term_days=1130, max_principal_grace=6, frequencies=["month:1"],
        guarantee_caps={"credit": {"share": "1", "max_amount": "800000.00"}},
    )  # fmt: skip
    customer = make_customer(actor("lin"), employees=34, annual_sales=Decimal("8600000.00"))
    application = draft_file(actor, customer, due_day=31, principal_grace=6)

    application = applications.submit_application(actor=actor("lin"), application_id=application.pk)

    assert application.state == "submitted"
    assert ProductTerms.from_json(application.quote["terms"]).due_day == 31


def test_a_grade_the_product_is_not_for_stops_the_approval(cast, actor):
    product_on_sale(actor, risk_grades=["A"])
    application = signed_file(actor).application
    assert application.investigation.findings["risk_grade"] != "A"
    Application.objects.filter(pk=application.pk).update(state="in_review")

    with pytest.raises(Unmet) as refused:
        offers.approve_application(
            actor=actor("qian"), application_id=application.pk, amount=application.amount, conditions=[], reason="同意"
        )

    assert refused.value.facts["criteria"] == ["risk_grade"]
    assert Application.objects.get(pk=application.pk).state == "in_review"
