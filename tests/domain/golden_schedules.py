"""Schedules worked by hand. Each row carries the working of its telling figures; the rest follows from it.

Columns: due date, days, principal, interest, fees, total, balance. Unless a case says otherwise the loan is
10,000.00 at 12 % a year from 2026-01-15, in three monthly instalments under 30/360.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from branch.domain.calendar import MonthEnd, RollRule, WorkingCalendar
from loans.domain.daycount import DayCount
from loans.domain.periods import Frequency, PaymentRoll, Unit
from loans.domain.schedule import Fee, FeeOn, RepaymentMethod, ScheduleTerms
from loans.domain.terms import PlanRow

EI, EP = RepaymentMethod.EQUAL_INSTALMENT, RepaymentMethod.EQUAL_PRINCIPAL
IO, BULLET, FLAT = RepaymentMethod.INTEREST_ONLY, RepaymentMethod.BULLET, RepaymentMethod.FLAT
A360, A365, AA = DayCount.ACTUAL_360, DayCount.ACTUAL_365, DayCount.ACTUAL_ACTUAL
# Spring Festival 2026: nine days off from 15 February.
SPRING_FESTIVAL = WorkingCalendar(frozenset(date(2026, 2, 15) + timedelta(days=day) for day in range(9)))


@dataclass(frozen=True)
class Golden:
    label: str
    source: str
    terms: ScheduleTerms
    rows: str


def terms(**changes: Any) -> ScheduleTerms:
    base: dict[str, Any] = {
        "principal": Decimal("10000.00"),
        "annual_rate": Decimal("0.12"),
        "start_date": date(2026, 1, 15),
        "repayment_method": EI,
        "day_count": DayCount.THIRTY_360,
        "instalments": 3,
    }
    return ScheduleTerms(**(base | changes))


PLAN = (
    PlanRow(date(2026, 2, 15), Decimal("2000.00")),
    PlanRow(date(2026, 3, 15), Decimal("3000.00")),
    PlanRow(date(2026, 4, 15), Decimal("5000.00")),
)

GOLDEN = (
    Golden(
        "equal instalment, 30/360",
        "hand: 10,000 × 0.01 ÷ (1 − 1.01⁻³) = 3,400.2211; 6,699.78 × 1 % = 67.00; the last pays 3,366.56 + 33.67",
        terms(),
        """
        2026-02-15 30 3300.22 100.00 0.00 3400.22 6699.78
        2026-03-15 30 3333.22 67.00 0.00 3400.22 3366.56
        2026-04-15 30 3366.56 33.67 0.00 3400.23 0.00
        """,
    ),
    Golden(
        "equal instalment, actual/360, month end clamped in a leap February, anchor 31 back in March",
        "hand: days 29, 31, 30, 31; 10,000 × 12 % × 29/360 = 96.67; 7,533.87 × 12 % × 31/360 = 77.85",
        terms(start_date=date(2024, 1, 31), day_count=A360, instalments=4),
        """
        2024-02-29 29 2466.13 96.67 0.00 2562.80 7533.87
        2024-03-31 31 2484.95 77.85 0.00 2562.80 5048.92
        2024-04-30 30 2512.31 50.49 0.00 2562.80 2536.61
        2024-05-31 31 2536.61 26.21 0.00 2562.82 0.00
        """,
    ),
    Golden(
        "equal instalment, actual/365, weekly",
        "hand: factor 0.12 × 7/365 = 0.00230137; 10,000 × factor ÷ (1 − (1 + factor)⁻⁴) = 2,514.40",
        terms(day_count=A365, frequency=Frequency(Unit.WEEK), instalments=4),
        """
        2026-01-22 7 2491.39 23.01 0.00 2514.40 7508.61
        2026-01-29 7 2497.12 17.28 0.00 2514.40 5011.49
        2026-02-05 7 2502.87 11.53 0.00 2514.40 2508.62
        2026-02-12 7 2508.62 5.77 0.00 2514.39 0.00
        """,
    ),
    Golden(
        "equal instalment, actual/actual, into a leap year",
        "hand: 10,000 × 12 % × (17/365 + 14/366) = 55.89 + 45.90 = 101.79; then 31/366 and 29/366",
        terms(start_date=date(2023, 12, 15), day_count=AA),
        """
        2024-01-15 31 3298.85 101.79 0.00 3400.64 6701.15
        2024-02-15 31 3332.53 68.11 0.00 3400.64 3368.62
        2024-03-15 29 3368.62 32.03 0.00 3400.65 0.00
        """,
    ),
    Golden(
        "equal instalment, one instalment",
        "hand: 10,000 + 10,000 × 1 %",
        terms(instalments=1),
        """
        2026-02-15 30 10000.00 100.00 0.00 10100.00 0.00
        """,
    ),
    Golden(
        "equal instalment, zero rate",
        "hand: 100 ÷ 3 = 33.33, the last takes 33.34",
        terms(principal=Decimal("100.00"), annual_rate=Decimal(0)),
        """
        2026-02-15 30 33.33 0.00 0.00 33.33 66.67
        2026-03-15 30 33.33 0.00 0.00 33.33 33.34
        2026-04-15 30 33.34 0.00 0.00 33.34 0.00
        """,
    ),
    Golden(
        "equal instalment, one instalment of principal grace",
        "hand: interest 100.00 alone, then the three-instalment loan of the first case",
        terms(principal_grace=1, instalments=4),
        """
        2026-02-15 30 0.00 100.00 0.00 100.00 10000.00
        2026-03-15 30 3300.22 100.00 0.00 3400.22 6699.78
        2026-04-15 30 3333.22 67.00 0.00 3400.22 3366.56
        2026-05-15 30 3366.56 33.67 0.00 3400.23 0.00
        """,
    ),
    Golden(
        "equal instalment, first instalment free of interest",
        "hand: factors 0, 1 %, 1 %: payment = 10,000 × 1.0201 ÷ (1.0201 + 1.01 + 1) = 3,366.56; 6,633.44 × 1 % = 66.33",
        terms(interest_free=1),
        """
        2026-02-15 30 3366.56 0.00 0.00 3366.56 6633.44
        2026-03-15 30 3300.23 66.33 0.00 3366.56 3333.21
        2026-04-15 30 3333.21 33.33 0.00 3366.54 0.00
        """,
    ),
    Golden(
        "equal instalment, interest of the first instalment deferred",
        "hand: the level instalment of the first case stays; row 2: 6,599.78 × 1 % = 66.00, and the 100.00 of row 1",
        terms(interest_grace=1),
        """
        2026-02-15 30 3400.22 0.00 0.00 3400.22 6599.78
        2026-03-15 30 3234.22 166.00 0.00 3400.22 3365.56
        2026-04-15 30 3365.56 33.66 0.00 3399.22 0.00
        """,
    ),
    Golden(
        "equal instalment rounded to hundreds",
        "hand: 9,900 × 0.340022 = 3,366.22 → 3,400; the last takes 3,264.99 + 32.65",
        terms(principal=Decimal("9900.00"), instalment_rounding=Decimal(100)),
        """
        2026-02-15 30 3301.00 99.00 0.00 3400.00 6599.00
        2026-03-15 30 3334.01 65.99 0.00 3400.00 3264.99
        2026-04-15 30 3264.99 32.65 0.00 3297.64 0.00
        """,
    ),
    Golden(
        "equal instalment rounded up so far that the loan ends an instalment early",
        "hand: 7,300 × 0.206040 = 1,504.09 → 2,000; after three payments 1,461.00 is left, less than one payment",
        terms(principal=Decimal("7300.00"), instalments=5, instalment_rounding=Decimal(1000)),
        """
        2026-02-15 30 1927.00 73.00 0.00 2000.00 5373.00
        2026-03-15 30 1946.27 53.73 0.00 2000.00 3426.73
        2026-04-15 30 1965.73 34.27 0.00 2000.00 1461.00
        2026-05-15 30 1461.00 14.61 0.00 1475.61 0.00
        """,
    ),
    Golden(
        "equal instalment, 30/360, long first period by bond basis",
        "hand: 10 January to 1 March = 60 − 9 = 51 days; payment = 10,000 × 1.017 × 1.0201 ÷ 3.0301 = 3,423.79",
        terms(start_date=date(2026, 1, 10), first_due_date=date(2026, 3, 1)),
        """
        2026-03-01 51 3253.79 170.00 0.00 3423.79 6746.21
        2026-04-01 30 3356.33 67.46 0.00 3423.79 3389.88
        2026-05-01 30 3389.88 33.90 0.00 3423.78 0.00
        """,
    ),
    Golden(
        "equal instalment, actual/360, short first period, due on the 31st or month end",
        "hand: 10,000 × 12 % × 21/360 = 70.00; 6,680.99 × 12 % × 28/360 = 62.36",
        terms(start_date=date(2026, 1, 10), first_due_date=date(2026, 1, 31), day_count=A360),
        """
        2026-01-31 21 3319.01 70.00 0.00 3389.01 6680.99
        2026-02-28 28 3326.65 62.36 0.00 3389.01 3354.34
        2026-03-31 31 3354.34 34.66 0.00 3389.00 0.00
        """,
    ),
    Golden(
        "equal instalment, actual/360, missing day rolls to the 1st, anchor 31 back afterwards",
        "hand: 31 January + 1 month = 1 March (29 days), then 31 March (30), 1 May (31), 31 May (30)",
        terms(start_date=date(2026, 1, 31), day_count=A360, month_end=MonthEnd.ROLL, instalments=4),
        """
        2026-03-01 29 2465.71 96.67 0.00 2562.38 7534.29
        2026-03-31 30 2487.04 75.34 0.00 2562.38 5047.25
        2026-05-01 31 2510.23 52.15 0.00 2562.38 2537.02
        2026-05-31 30 2537.02 25.37 0.00 2562.39 0.00
        """,
    ),
    Golden(
        "equal principal, 30/360",
        "hand: 10,000 ÷ 3 = 3,333.33; interest 1 % of 10,000.00, 6,666.67, 3,333.34",
        terms(repayment_method=EP),
        """
        2026-02-15 30 3333.33 100.00 0.00 3433.33 6666.67
        2026-03-15 30 3333.33 66.67 0.00 3400.00 3333.34
        2026-04-15 30 3333.34 33.33 0.00 3366.67 0.00
        """,
    ),
    Golden(
        "equal principal, actual/360, quarterly",
        "hand: 10,000 × 12 % × 90/360 = 300.00; 7,500 × 12 % × 91/360 = 227.50",
        terms(repayment_method=EP, day_count=A360, frequency=Frequency(Unit.MONTH, 3), instalments=4),
        """
        2026-04-15 90 2500.00 300.00 0.00 2800.00 7500.00
        2026-07-15 91 2500.00 227.50 0.00 2727.50 5000.00
        2026-10-15 92 2500.00 153.33 0.00 2653.33 2500.00
        2027-01-15 92 2500.00 76.67 0.00 2576.67 0.00
        """,
    ),
    Golden(
        "equal principal, actual/365, every ten days, one instalment of principal grace",
        "hand: 10,000 × 12 % × 10/365 = 32.88 twice; 6,666.67 gives 21.92; 3,333.34 gives 10.96",
        terms(repayment_method=EP, day_count=A365, frequency=Frequency(Unit.DAY, 10), principal_grace=1, instalments=4),
        """
        2026-01-25 10 0.00 32.88 0.00 32.88 10000.00
        2026-02-04 10 3333.33 32.88 0.00 3366.21 6666.67
        2026-02-14 10 3333.33 21.92 0.00 3355.25 3333.34
        2026-02-24 10 3333.34 10.96 0.00 3344.30 0.00
        """,
    ),
    Golden(
        "equal principal, actual/actual, month end 30 clamped to 29 February",
        "hand: 10,000 × 12 % × 30/365 = 98.63; 7,500 × 12 % × (2/365 + 29/366) = 76.24",
        terms(repayment_method=EP, day_count=AA, start_date=date(2023, 11, 30), instalments=4),
        """
        2023-12-30 30 2500.00 98.63 0.00 2598.63 7500.00
        2024-01-30 31 2500.00 76.24 0.00 2576.24 5000.00
        2024-02-29 30 2500.00 49.18 0.00 2549.18 2500.00
        2024-03-30 30 2500.00 24.59 0.00 2524.59 0.00
        """,
    ),
    Golden(
        "interest monthly, actual/360, over a leap day",
        "hand: 10,000 × 12 % × 31/360 = 103.33; 29/360 = 96.67",
        terms(repayment_method=IO, day_count=A360, start_date=date(2024, 1, 20)),
        """
        2024-02-20 31 0.00 103.33 0.00 103.33 10000.00
        2024-03-20 29 0.00 96.67 0.00 96.67 10000.00
        2024-04-20 31 10000.00 103.33 0.00 10103.33 0.00
        """,
    ),
    Golden(
        "interest quarterly, 30/360",
        "hand: 90/360 of 1,200.00 = 300.00 whatever the dates",
        terms(repayment_method=IO, frequency=Frequency(Unit.MONTH, 3), instalments=4),
        """
        2026-04-15 90 0.00 300.00 0.00 300.00 10000.00
        2026-07-15 90 0.00 300.00 0.00 300.00 10000.00
        2026-10-15 90 0.00 300.00 0.00 300.00 10000.00
        2027-01-15 90 10000.00 300.00 0.00 10300.00 0.00
        """,
    ),
    Golden(
        "interest monthly, actual/365, interest of the first two deferred",
        "hand: 101.92 + 92.05 + 101.92 = 295.89 in row 3",
        terms(repayment_method=IO, day_count=A365, interest_grace=2, instalments=4),
        """
        2026-02-15 31 0.00 0.00 0.00 0.00 10000.00
        2026-03-15 28 0.00 0.00 0.00 0.00 10000.00
        2026-04-15 31 0.00 295.89 0.00 295.89 10000.00
        2026-05-15 30 10000.00 98.63 0.00 10098.63 0.00
        """,
    ),
    Golden(
        "interest every two weeks, actual/actual, over the new year",
        "hand: 10,000 × 12 % × (12/365 + 2/366) = 39.45 + 6.56 = 46.01; 14/366 = 45.90",
        terms(repayment_method=IO, day_count=AA, frequency=Frequency(Unit.WEEK, 2), start_date=date(2023, 12, 20)),
        """
        2024-01-03 14 0.00 46.01 0.00 46.01 10000.00
        2024-01-17 14 0.00 45.90 0.00 45.90 10000.00
        2024-01-31 14 10000.00 45.90 0.00 10045.90 0.00
        """,
    ),
    Golden(
        "interest on the 20th (a custom due day), actual/360, five-day stub",
        "hand: 10,000 × 12 % × 5/360 = 16.67; 31/360 = 103.33; 28/360 = 93.33",
        terms(repayment_method=IO, day_count=A360, due_day=20, first_due_date=date(2026, 1, 20)),
        """
        2026-01-20 5 0.00 16.67 0.00 16.67 10000.00
        2026-02-20 31 0.00 103.33 0.00 103.33 10000.00
        2026-03-20 28 10000.00 93.33 0.00 10093.33 0.00
        """,
    ),
    Golden(
        "all at maturity, actual/360, 90 days",
        "hand: 10,000 × 12 % × 90/360 = 300.00",
        terms(repayment_method=BULLET, day_count=A360, frequency=Frequency(Unit.DAY, 90), instalments=1),
        """
        2026-04-15 90 10000.00 300.00 0.00 10300.00 0.00
        """,
    ),
    Golden(
        "all at maturity, 30/360, six months to the end of February",
        "hand: 6 × 30 = 180 days although bond basis counts 178",
        terms(repayment_method=BULLET, instalments=6, start_date=date(2025, 8, 31)),
        """
        2026-02-28 180 10000.00 600.00 0.00 10600.00 0.00
        """,
    ),
    Golden(
        "all at maturity on a chosen date, actual/365",
        "hand: 350 days; 10,000 × 12 % × 350/365 = 1,150.68",
        terms(repayment_method=BULLET, day_count=A365, instalments=1, first_due_date=date(2026, 12, 31)),
        """
        2026-12-31 350 10000.00 1150.68 0.00 11150.68 0.00
        """,
    ),
    Golden(
        "all at maturity, actual/actual, half in a leap year",
        "hand: 10,000 × 12 % × (184/365 + 182/366) = 1,201.65",
        terms(repayment_method=BULLET, day_count=AA, start_date=date(2023, 7, 1), instalments=12),
        """
        2024-07-01 366 10000.00 1201.65 0.00 11201.65 0.00
        """,
    ),
    Golden(
        "flat, 30/360, remainders of principal and interest in the last",
        "hand: 1,000 ÷ 12 = 83.33, last 83.37; 100.00 of interest ÷ 12 = 8.33, last 8.37",
        terms(repayment_method=FLAT, principal=Decimal("1000.00"), annual_rate=Decimal("0.10"), instalments=12),
        """
        2026-02-15 30 83.33 8.33 0.00 91.66 916.67
        2026-03-15 30 83.33 8.33 0.00 91.66 833.34
        2026-04-15 30 83.33 8.33 0.00 91.66 750.01
        2026-05-15 30 83.33 8.33 0.00 91.66 666.68
        2026-06-15 30 83.33 8.33 0.00 91.66 583.35
        2026-07-15 30 83.33 8.33 0.00 91.66 500.02
        2026-08-15 30 83.33 8.33 0.00 91.66 416.69
        2026-09-15 30 83.33 8.33 0.00 91.66 333.36
        2026-10-15 30 83.33 8.33 0.00 91.66 250.03
        2026-11-15 30 83.33 8.33 0.00 91.66 166.70
        2026-12-15 30 83.33 8.33 0.00 91.66 83.37
        2027-01-15 30 83.37 8.37 0.00 91.74 0.00
        """,
    ),
    Golden(
        "flat, actual/365",
        "hand: 10,000 × 12 % × 90/365 = 295.89 in all; 31/365 = 101.92, 28/365 = 92.05",
        terms(repayment_method=FLAT, day_count=A365),
        """
        2026-02-15 31 3333.33 101.92 0.00 3435.25 6666.67
        2026-03-15 28 3333.33 92.05 0.00 3425.38 3333.34
        2026-04-15 31 3333.34 101.92 0.00 3435.26 0.00
        """,
    ),
    Golden(
        "flat, actual/360, first instalment free of interest",
        "hand: 10,000 × 12 % × 59/360 = 196.67 in all; 28/360 = 93.33, the last takes 103.34",
        terms(repayment_method=FLAT, day_count=A360, interest_free=1),
        """
        2026-02-15 31 3333.33 0.00 0.00 3333.33 6666.67
        2026-03-15 28 3333.33 93.33 0.00 3426.66 3333.34
        2026-04-15 31 3333.34 103.34 0.00 3436.68 0.00
        """,
    ),
    Golden(
        "flat, actual/actual, every two weeks over the new year",
        "hand: as the interest-only case, on the original 10,000 all along",
        terms(repayment_method=FLAT, day_count=AA, start_date=date(2023, 12, 20), frequency=Frequency(Unit.WEEK, 2)),
        """
        2024-01-03 14 3333.33 46.01 0.00 3379.34 6666.67
        2024-01-17 14 3333.33 45.90 0.00 3379.23 3333.34
        2024-01-31 14 3333.34 45.90 0.00 3379.24 0.00
        """,
    ),
    Golden(
        "payment day after the holiday, interest period unchanged",
        "hand: 15 February → 24 February, 15 March (Sunday) → 16; days stay 31, 28, 31",
        terms(repayment_method=IO, day_count=A360, roll=PaymentRoll(RollRule.FOLLOWING, SPRING_FESTIVAL)),
        """
        2026-02-24 31 0.00 103.33 0.00 103.33 10000.00
        2026-03-16 28 0.00 93.33 0.00 93.33 10000.00
        2026-04-15 31 10000.00 103.33 0.00 10103.33 0.00
        """,
    ),
    Golden(
        "payment day after the holiday, interest period moved with it",
        "hand: 15 January → 24 February is 40 days; → 16 March 20; → 15 April 30",
        terms(repayment_method=IO, day_count=A360, roll=PaymentRoll(RollRule.FOLLOWING, SPRING_FESTIVAL, True)),
        """
        2026-02-24 40 0.00 133.33 0.00 133.33 10000.00
        2026-03-16 20 0.00 66.67 0.00 66.67 10000.00
        2026-04-15 30 10000.00 100.00 0.00 10100.00 0.00
        """,
    ),
    Golden(
        "payment day before the weekend where the next working day is in another month",
        "hand: 28 February 2026 is a Saturday → 27 February; days stay 28, 31, 30",
        terms(
            repayment_method=IO,
            day_count=A360,
            start_date=date(2026, 1, 31),
            roll=PaymentRoll(RollRule.MODIFIED_FOLLOWING),
        ),
        """
        2026-02-27 28 0.00 93.33 0.00 93.33 10000.00
        2026-03-31 31 0.00 103.33 0.00 103.33 10000.00
        2026-04-30 30 10000.00 100.00 0.00 10100.00 0.00
        """,
    ),
    Golden(
        "fees at the start and with each instalment",
        "hand: 5.00 on each of three; totals 150.00 + 15.00 = 165.00",
        terms(fees=(Fee(Decimal("150.00"), FeeOn.START), Fee(Decimal("5.00"), FeeOn.EACH))),
        """
        2026-02-15 30 3300.22 100.00 5.00 3405.22 6699.78
        2026-03-15 30 3333.22 67.00 5.00 3405.22 3366.56
        2026-04-15 30 3366.56 33.67 5.00 3405.23 0.00
        """,
    ),
    Golden(
        "drawn and paid back as used, actual/360",
        "hand: nothing paid back before the end, 10,000 × 12 % × 31, 28 and 31 days",
        terms(repayment_method=RepaymentMethod.PAY_AS_YOU_USE, day_count=A360),
        """
        2026-02-15 31 0.00 103.33 0.00 103.33 10000.00
        2026-03-15 28 0.00 93.33 0.00 93.33 10000.00
        2026-04-15 31 10000.00 103.33 0.00 10103.33 0.00
        """,
    ),
    Golden(
        "agreed plan, actual/360",
        "hand: 12 % on 10,000, 8,000 and 5,000 for 31, 28 and 31 days",
        terms(repayment_method=RepaymentMethod.AGREED_PLAN, day_count=A360, plan=PLAN),
        """
        2026-02-15 31 2000.00 103.33 0.00 2103.33 8000.00
        2026-03-15 28 3000.00 74.67 0.00 3074.67 5000.00
        2026-04-15 31 5000.00 51.67 0.00 5051.67 0.00
        """,
    ),
    Golden(
        "drawn and paid back as used, actual/365",
        "hand: nothing paid back before the end, 10,000 × 12 % × 31, 28 and 31 days",
        terms(repayment_method=RepaymentMethod.PAY_AS_YOU_USE, day_count=A365),
        """
        2026-02-15 31 0.00 101.92 0.00 101.92 10000.00
        2026-03-15 28 0.00 92.05 0.00 92.05 10000.00
        2026-04-15 31 10000.00 101.92 0.00 10101.92 0.00
        """,
    ),
    Golden(
        "agreed plan, actual/365",
        "hand: 12 % on 10,000, 8,000 and 5,000 for 31, 28 and 31 days",
        terms(repayment_method=RepaymentMethod.AGREED_PLAN, day_count=A365, plan=PLAN),
        """
        2026-02-15 31 2000.00 101.92 0.00 2101.92 8000.00
        2026-03-15 28 3000.00 73.64 0.00 3073.64 5000.00
        2026-04-15 31 5000.00 50.96 0.00 5050.96 0.00
        """,
    ),
    Golden(
        "drawn and paid back as used, actual/actual",
        "hand: nothing paid back before the end, 10,000 × 12 % × 31, 28 and 31 days",
        terms(repayment_method=RepaymentMethod.PAY_AS_YOU_USE, day_count=AA),
        """
        2026-02-15 31 0.00 101.92 0.00 101.92 10000.00
        2026-03-15 28 0.00 92.05 0.00 92.05 10000.00
        2026-04-15 31 10000.00 101.92 0.00 10101.92 0.00
        """,
    ),
    Golden(
        "agreed plan, actual/actual",
        "hand: 12 % on 10,000, 8,000 and 5,000 for 31, 28 and 31 days",
        terms(repayment_method=RepaymentMethod.AGREED_PLAN, day_count=AA, plan=PLAN),
        """
        2026-02-15 31 2000.00 101.92 0.00 2101.92 8000.00
        2026-03-15 28 3000.00 73.64 0.00 3073.64 5000.00
        2026-04-15 31 5000.00 50.96 0.00 5050.96 0.00
        """,
    ),
    Golden(
        "drawn and paid back as used, 30/360",
        "hand: nothing paid back before the end, 10,000 × 12 % × 30, 30 and 30 days",
        terms(repayment_method=RepaymentMethod.PAY_AS_YOU_USE, day_count=DayCount.THIRTY_360),
        """
        2026-02-15 30 0.00 100.00 0.00 100.00 10000.00
        2026-03-15 30 0.00 100.00 0.00 100.00 10000.00
        2026-04-15 30 10000.00 100.00 0.00 10100.00 0.00
        """,
    ),
    Golden(
        "agreed plan, 30/360",
        "hand: 12 % on 10,000, 8,000 and 5,000 for 30, 30 and 30 days",
        terms(repayment_method=RepaymentMethod.AGREED_PLAN, day_count=DayCount.THIRTY_360, plan=PLAN),
        """
        2026-02-15 30 2000.00 100.00 0.00 2100.00 8000.00
        2026-03-15 30 3000.00 80.00 0.00 3080.00 5000.00
        2026-04-15 30 5000.00 50.00 0.00 5050.00 0.00
        """,
    ),
)
