"""Who may have a product, how much a guarantee carries, and how big a firm is by the standard of 2011."""

from decimal import Decimal
from typing import Any

import pytest

from customers.domain.size_class import SECTORS, sector_of, size_class
from loans.domain.eligibility import Applicant, Audience, CapKind, GuaranteeCap, check_eligibility, check_guarantee_caps

MICRO_SHOP = Applicant(
    customer_kind="sole_trader", size_class="micro", industry="五金零售", clusters=frozenset({"JB-HW"}), risk_grade="B"
)


def verdicts(audience, applicant=MICRO_SHOP):
    return {criterion.code.value: criterion.holds for criterion in check_eligibility(audience, applicant)}


def test_an_offer_without_criteria_is_for_everybody():
    assert check_eligibility(Audience(), Applicant(customer_kind="company")) == ()


def test_every_criterion_is_looked_at_by_itself():
    audience = Audience(
        customer_kinds=frozenset({"company"}),
        size_classes=frozenset({"micro", "small"}),
        industries=frozenset({"零售", "批发"}),
        clusters=frozenset({"OTHER"}),
        risk_grades=frozenset({"A", "B"}),
    )

    assert verdicts(audience) == {
        "customer_kind": False, "size_class": True, "industry": True, "cluster": False, "risk_grade": True,
    }  # fmt: skip


def test_a_grade_is_open_until_it_is_known_and_a_size_must_be_known():
    audience = Audience(size_classes=frozenset({"micro"}), risk_grades=frozenset({"A"}))

    assert verdicts(audience, Applicant(customer_kind="company")) == {"size_class": False, "risk_grade": None}
    assert verdicts(audience, Applicant(customer_kind="company", risk_grade="C"))["risk_grade"] is False


def test_a_criterion_says_what_it_wants_and_what_it_found():
    (criterion,) = check_eligibility(Audience(clusters=frozenset({"B", "A"})), MICRO_SHOP)

    assert (criterion.wanted, criterion.found) == (("A", "B"), ("JB-HW",))


@pytest.mark.parametrize(
    ("cap", "breaches"),
    [
        (GuaranteeCap(), []),
        (GuaranteeCap(share=Decimal("0.30")), []),
        (GuaranteeCap(share=Decimal("0.29")), [(CapKind.SHARE, Decimal("290000.00"))]),
        (GuaranteeCap(max_amount=Decimal("300000.00")), []),
        (GuaranteeCap(max_amount=Decimal("299999.99")), [(CapKind.MAX_AMOUNT, Decimal("299999.99"))]),
        (
            GuaranteeCap(Decimal("0.10"), Decimal("50000.00")),
            [(CapKind.SHARE, Decimal("100000.00")), (CapKind.MAX_AMOUNT, Decimal("50000.00"))],
        ),
    ],
)
def test_a_guarantee_carries_no_more_than_its_cap(cap, breaches):
    shares = {"credit": Decimal("0.30"), "mortgage": Decimal("0.70")}

    found = check_guarantee_caps(Decimal("1000000.00"), shares, {"credit": cap})

    assert [(breach.kind, breach.limit) for breach in found] == breaches
    assert all((breach.mode, breach.carried) == ("credit", Decimal("300000.00")) for breach in found)


# --- size classes: 工信部联企业〔2011〕300号 ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("industry", "employees", "sales", "expected"),
    [
        # Industry: 1,000 / 300 / 20 people and 400,000,000 / 20,000,000 / 3,000,000 yuan.
        ("金属制品业", 1000, "400000000", "large"),
        ("金属制品业", 999, "400000000", "medium"),
        ("金属制品业", 300, "20000000", "medium"),
        ("金属制品业", 299, "20000000", "small"),
        ("金属制品业", 20, "3000000", "small"),
        ("金属制品业", 20, "2999999.99", "micro"),
        ("金属制品业", 19, "500000000", "micro"),
        ("金属制品业", 19, None, "micro"),
        ("金属制品业", 20, None, None),
        ("金属制品业", None, None, None),
        # Wholesale: 200 / 20 / 5 people and 400,000,000 / 50,000,000 / 10,000,000 yuan.
        ("五金制品批发", 20, "50000000", "medium"),
        ("五金制品批发", 5, "10000000", "small"),
        # Farming is by sales alone, the rest by people alone.
        ("农业", None, "500000", "small"),
        ("农业", None, "499999", "micro"),
        ("农业", None, "200000000", "large"),
        ("家政", 10, None, "small"),
        ("家政", 300, None, "large"),
        # Construction needs total assets besides sales.
        ("建筑业", 50, "5000000", None),
    ],
)
def test_size_class(industry, employees, sales, expected):
    assert size_class(industry, employees=employees, sales=sales and Decimal(sales)) == expected


def test_total_assets_count_where_the_standard_asks_for_them():
    figures: dict[str, Any] = {"employees": None, "sales": Decimal("60000000")}

    assert size_class("建筑业", assets=Decimal("50000000"), **figures) == "medium"
    assert size_class("建筑业", assets=Decimal("49999999"), **figures) == "small"
    assert size_class("建筑业", assets=Decimal("2999999"), **figures) == "micro"


@pytest.mark.parametrize("sector", SECTORS, ids=lambda sector: sector.name)
def test_every_sector_is_found_by_its_own_name(sector):
    assert sector_of(sector.name) is sector


@pytest.mark.parametrize(
    ("industry", "sector"),
    [
        ("软件批发", "批发业"),
        ("汽车租赁", "租赁和商务服务业"),
        ("道路货运", "交通运输业"),
        ("通用设备制造业", "工业"),
        ("家政", "其他未列明行业"),
    ],
)
def test_a_trade_comes_before_what_it_trades_in(industry, sector):
    assert sector_of(industry).name == sector
