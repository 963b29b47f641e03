"""Three tables, equity test, working-capital need, and the three grades."""

from decimal import Decimal

import pytest

from loans.domain.cross_checks import (
    Tolerance,
    TurnoverDays,
    Verdict,
    check_equity,
    check_table,
    deviation,
    working_capital_need,
)
from loans.domain.grades import Band, Criterion, Grade, score_grades


@pytest.mark.parametrize(
    ("usage", "checked", "part", "verdict"),
    [
        ("95000", "950000.00", "0.0500", Verdict.GREEN),
        ("94999", "949990.00", "0.0500", Verdict.GREEN),
        ("94000", "940000.00", "0.0600", Verdict.AMBER),
        ("80000", "800000.00", "0.2000", Verdict.AMBER),
        ("79000", "790000.00", "0.2100", Verdict.RED),
        ("130000", "1300000.00", "-0.3000", Verdict.RED),
    ],
)
def test_electricity_against_stated_sales(usage: str, checked: str, part: str, verdict: Verdict) -> None:
    """Stated 1,000,000; one kWh stands for 10 yuan of sales; deviation = (stated − checked) ÷ stated."""
    result = check_table("electricity", stated_sales=Decimal(1000000), usage=Decimal(usage), sales_per_unit=Decimal(10))

    assert (str(result.checked), str(result.deviation), result.verdict) == (checked, part, verdict)
    assert result.inputs["usage"] == Decimal(usage)
    assert result.formula == "usage × sales_per_unit"


def test_tolerance_is_a_parameter() -> None:
    strict = Tolerance(green=Decimal("0.01"), amber=Decimal("0.02"))

    result = check_table(
        "tax",
        stated_sales=Decimal(1000),
        usage=Decimal(97),
        sales_per_unit=Decimal(10),
        tolerance=strict,
    )

    assert result.verdict is Verdict.RED


def test_sales_found_where_none_were_stated() -> None:
    found = check_table("water", stated_sales=Decimal(0), usage=Decimal(5), sales_per_unit=Decimal(10))
    nothing = check_table("water", stated_sales=Decimal(0), usage=Decimal(0), sales_per_unit=Decimal(10))

    assert (found.deviation, found.verdict) == (None, Verdict.RED)
    assert nothing.verdict is Verdict.GREEN
    assert deviation(Decimal(3), Decimal(2)) == Decimal("0.3333")


def test_an_equity_gap_points_to_hidden_debt() -> None:
    """500 + 200 + 50 + 10 − 80 − 30 = 650 (thousand) should be there, 455 is stated: 195 is missing."""
    result = check_equity(
        stated_equity=Decimal(455000),
        opening_equity=Decimal(500000),
        profit=Decimal(200000),
        capital_in=Decimal(50000),
        appreciation=Decimal(10000),
        drawings=Decimal(80000),
        depreciation=Decimal(30000),
    )

    assert result.checked == Decimal("650000.00")
    assert result.deviation == Decimal("-0.4286")
    assert result.verdict is Verdict.RED


def test_working_capital_need() -> None:
    """Cycle 60 + 45 − 30 + 10 − 5 = 80 days, 4.5 turns; 9,000,000 × 0.8 × 1.1 ÷ 4.5 = 1,760,000."""
    days = TurnoverDays(Decimal(60), Decimal(45), Decimal(30), Decimal(10), Decimal(5))

    need = working_capital_need(
        last_year_sales=Decimal(9000000),
        sales_margin=Decimal("0.2"),
        sales_growth=Decimal("0.1"),
        days=days,
        own_funds=Decimal(400000),
        existing_loans=Decimal(300000),
        other_financing=Decimal(60000),
    )

    assert need.turnover_times == Decimal("4.50")
    assert need.need == Decimal("1760000.00")
    assert need.new_loan_limit == Decimal("1000000.00")
    assert need.inputs["cycle_days"] == 80


@pytest.mark.parametrize(("inventory", "own_funds"), [(0, 0), (60, 9000000)])
def test_working_capital_need_is_never_negative(inventory: int, own_funds: int) -> None:
    days = TurnoverDays(Decimal(inventory), Decimal(0), Decimal(30), Decimal(0), Decimal(0))

    need = working_capital_need(
        last_year_sales=Decimal(9000000),
        sales_margin=Decimal("0.2"),
        sales_growth=Decimal("0.1"),
        days=days,
        own_funds=Decimal(own_funds),
        existing_loans=Decimal(0),
        other_financing=Decimal(0),
    )

    assert need.new_loan_limit == 0
    assert need.need >= 0


CRITERIA = (
    Criterion(
        "credit_record",
        Grade.CHARACTER,
        Decimal(3),
        points={"clean": Decimal(100), "late": Decimal(40), "default": Decimal(0)},
    ),
    Criterion(
        "years_in_business",
        Grade.CHARACTER,
        Decimal(1),
        bands=(Band(Decimal(0), Decimal(20)), Band(Decimal(3), Decimal(60)), Band(Decimal(8), Decimal(100))),
    ),
    Criterion("order_book", Grade.PRODUCT, Decimal(1), points={"full": Decimal(90), "thin": Decimal(30)}),
    Criterion("collateral_cover", Grade.COLLATERAL, Decimal(1), bands=(Band(Decimal("1.0"), Decimal(70)),)),
)
WEIGHTS = {Grade.CHARACTER: Decimal(2), Grade.PRODUCT: Decimal(1), Grade.COLLATERAL: Decimal(1)}


def test_three_grades_from_observed_facts() -> None:
    """Character (3 × 100 + 1 × 60) ÷ 4 = 90; product 90; collateral 70; (2 × 90 + 90 + 70) ÷ 4 = 85."""
    facts: dict[str, str | Decimal | int] = {
        "credit_record": "clean",
        "years_in_business": 5,
        "order_book": "full",
        "collateral_cover": Decimal("1.3"),
    }

    report = score_grades(facts, CRITERIA, grade_weights=WEIGHTS)

    assert {grade: str(scored.score) for grade, scored in report.grades.items()} == {
        Grade.CHARACTER: "90.00",
        Grade.PRODUCT: "90.00",
        Grade.COLLATERAL: "70.00",
    }
    assert (report.overall.score, report.overall.letter) == (Decimal("85.00"), "A")
    assert report.missing == ()


def test_a_fact_nobody_observed_earns_nothing_and_is_listed() -> None:
    report = score_grades({"credit_record": "clean"}, CRITERIA, grade_weights=WEIGHTS)

    assert report.missing == ("years_in_business", "order_book", "collateral_cover")
    assert report.grades[Grade.CHARACTER].score == Decimal("75.00")
    assert report.grades[Grade.PRODUCT].letter == "D"


def test_an_answer_that_is_not_on_the_list_is_refused() -> None:
    with pytest.raises(ValueError, match="credit_record"):
        score_grades({"credit_record": "excellent"}, CRITERIA, grade_weights=WEIGHTS)


def test_below_the_lowest_band_earns_nothing() -> None:
    assert CRITERIA[3].score(Decimal("0.99")) == 0
    assert CRITERIA[3].score(Decimal("1.00")) == 70


def test_weights_that_sum_to_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no criterion"):
        score_grades({}, CRITERIA[:1], grade_weights=WEIGHTS)
    with pytest.raises(ValueError, match="grade weights"):
        score_grades({}, CRITERIA, grade_weights={Grade.PRODUCT: Decimal(0)})
