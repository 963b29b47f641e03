"""Five-category class: every rule at its edge, and the worst of them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postloan.domain.classification import AssetClass, ClassFacts, ClassParameters, classify, provision

TODAY = date(2026, 11, 23)
IN_ORDER = ClassFacts(days_past_due=0)
N, SM, SS, D, L = AssetClass


@pytest.mark.parametrize(
    ("days", "asset_class", "rate"),
    [
        # 2023 measures: overdue, above 90, above 270, above 360 days.
        (0, N, "0.01"),
        (1, SM, "0.02"),
        (90, SM, "0.02"),
        (91, SS, "0.25"),
        (270, SS, "0.25"),
        (271, D, "0.50"),
        (360, D, "0.50"),
        (361, L, "1.00"),
    ],
)
def test_days_past_due(days: int, asset_class: AssetClass, rate: str) -> None:
    result = classify(ClassFacts(days_past_due=days), as_of=TODAY)

    assert (result.asset_class, result.provision_rate) == (asset_class, Decimal(rate))
    assert result.rule == ("days_past_due" if days else "none")


@pytest.mark.parametrize(
    ("label", "changes", "asset_class", "rule"),
    [
        ("technical delay of 7 days", {"days_past_due": 7, "delay_is_technical": True}, N, "none"),
        ("8 days are no technical delay", {"days_past_due": 8, "delay_is_technical": True}, SM, "days_past_due"),
        ("10 % of the debt non-performing", {"non_performing_share": Decimal("0.10")}, N, "none"),
        ("above 10 %", {"non_performing_share": Decimal("0.1001")}, SS, "contagion"),
        ("retail is judged loan by loan", {"non_performing_share": Decimal(1), "is_retail": True}, N, "none"),
        ("misuse", {"funds_misused": True}, SM, "misuse"),
        ("new loan for old", {"repays_old_loan": True}, SM, "new_for_old"),
        ("a qualifying renewal", {"repays_old_loan": True, "is_qualifying_renewal": True}, N, "none"),
        ("restructured, a day under a year", {"restructured_date": date(2025, 11, 24),
         "instalments_since_restructuring": 2}, SM, "restructured"),
        ("a year but one instalment", {"restructured_date": date(2025, 11, 23),
         "instalments_since_restructuring": 1}, SM, "restructured"),
        ("a year and two instalments", {"restructured_date": date(2025, 11, 23),
         "instalments_since_restructuring": 2}, N, "none"),
        ("judged worse", {"judged_class": D}, D, "judgement"),
        ("judged better changes nothing", {"days_past_due": 100, "judged_class": SM}, SS, "days_past_due"),
    ],
)  # fmt: skip
def test_rules_at_their_edges(label: str, changes: dict[str, Any], asset_class: AssetClass, rule: str) -> None:
    result = classify(replace(IN_ORDER, **changes), as_of=TODAY)

    assert (result.asset_class, result.rule) == (asset_class, rule), label


PROVEN = ClassFacts(
    days_past_due=0,
    previous_class=D,
    arrears_cleared_date=date(2026, 5, 23),
    instalments_since_cleared=2,
    upgrade_approved=True,
)


@pytest.mark.parametrize(
    ("label", "changes", "asset_class"),
    [
        ("cleared six months ago, two instalments, approved", {}, N),
        ("a day short of six months", {"arrears_cleared_date": date(2026, 5, 24)}, SS),
        ("one instalment", {"instalments_since_cleared": 1}, SS),
        ("not approved", {"upgrade_approved": False}, SS),
        ("arrears not cleared", {"arrears_cleared_date": None}, SS),
        ("in arrears again", {"days_past_due": 1}, SS),
        ("was never non-performing", {"previous_class": SM, "upgrade_approved": False}, N),
    ],
)
def test_the_way_out_of_non_performing(label: str, changes: dict[str, Any], asset_class: AssetClass) -> None:
    result = classify(replace(PROVEN, **changes), as_of=TODAY)

    assert result.asset_class is asset_class, label
    assert (result.rule == "proving") == (asset_class is SS)


def test_the_worst_rule_decides_and_all_are_kept_with_their_evidence() -> None:
    facts = ClassFacts(days_past_due=95, funds_misused=True, non_performing_share=Decimal("0.5"), judged_class=L)

    result = classify(facts, as_of=TODAY)

    assert (result.asset_class, result.rule) == (L, "judgement")
    assert [outcome.rule for outcome in result.outcomes] == ["days_past_due", "contagion", "misuse", "judgement"]
    assert result.outcomes[0].evidence == {"days_past_due": "95", "above_days": "90"}


def test_limits_are_parameters() -> None:
    strict = ClassParameters(substandard_above_days=60, contagion_share=Decimal("0.05"))

    assert classify(ClassFacts(days_past_due=61), as_of=TODAY, parameters=strict).asset_class is SS
    shared = ClassFacts(days_past_due=0, non_performing_share=Decimal("0.06"))
    assert classify(shared, as_of=TODAY, parameters=strict).asset_class is SS


def test_provision_is_rounded_to_the_cent() -> None:
    assert provision(Decimal("12345.67"), Decimal("0.25")) == Decimal("3086.42")


@given(
    st.integers(0, 500),
    st.booleans(),
    st.booleans(),
    st.decimals("0", "1", places=2),
    st.sampled_from([None, *AssetClass]),
)
def test_more_trouble_is_never_a_better_class(
    days: int, misused: bool, retail: bool, share: Decimal, judged: AssetClass | None
) -> None:
    facts = ClassFacts(
        days_past_due=days,
        funds_misused=misused,
        is_retail=retail,
        non_performing_share=share,
        judged_class=judged,
    )
    worse = replace(facts, days_past_due=days + 30, funds_misused=True)

    result, later = classify(facts, as_of=TODAY), classify(worse, as_of=TODAY)

    assert later.asset_class.severity >= result.asset_class.severity
    assert result.asset_class.severity >= (judged.severity if judged else 0)
