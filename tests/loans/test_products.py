"""Products are written by one person and put on sale by another; a quote shows every part of its price."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connections
from django.utils import translation

from branch.domain.refusals import DutiesConflict, InvalidInput, PermissionRefused, Unmet, WrongState
from branch.models import Event
from branch.queries.visibility import visible
from loans.domain.lpr_history import LPR_HISTORY
from loans.domain.periods import Frequency, Unit
from loans.models import LprRate, Product, ProductVersion
from loans.queries.products import active_version, lpr_on
from loans.services import prime_rates, products
from loans.services.pricing import months_until, quote, without_rows
from tests.cast import PEOPLE, make_cast
from tests.loans.making import OFFER, draft_version, product_on_sale, publish_lpr

MONTHLY = Frequency(Unit.MONTH, 1)
FEE = {"name_zh": "手续费", "name_en": "Handling fee", "kind": "fixed", "value": "1000.00", "on": "start"}


def world():
    return (
        list(Product.objects.order_by("pk").values()),
        list(ProductVersion.objects.order_by("pk").values()),
        list(LprRate.objects.order_by("pk").values()),
        Event.objects.count(),
    )


def price(version, **changes):
    values = {
        "product_version": version,
        "amount": Decimal("800000.00"),
        "instalments": 36,
        "frequency": MONTHLY,
        "method": "equal_instalment",
        "guarantee": "credit",
        "start_date": date(2026, 3, 2),
    }
    return quote(**(values | changes))


def test_a_version_goes_on_sale_by_a_second_person(cast, actor):
    version = product_on_sale(actor)

    assert (version.state, version.number, version.office) == ("active", 1, cast.offices.HO)
    assert (version.drafted_by, version.activated_by) == (cast.qian, cast.zhou)
    assert version.active_from_date == date(2026, 3, 2)
    assert active_version("SB") == active_version(version.product_id) == version


def test_nobody_activates_what_they_drafted(cast, actor):
    version = draft_version(actor("qian"))
    products.submit_product_version(actor=actor("qian"), product_version_id=version.pk)
    before = world()

    with pytest.raises(DutiesConflict):
        products.activate_product_version(actor=actor("qian"), product_version_id=version.pk)

    assert world() == before


def test_only_its_drafter_writes_on_a_draft(cast, actor):
    version = draft_version(actor("qian"))
    before = world()
    with pytest.raises(PermissionRefused):
        products.update_product_version(actor=actor("zhou"), product_version_id=version.pk, margin_bp=1)
    assert world() == before

    version = products.update_product_version(actor=actor("qian"), product_version_id=version.pk, margin_bp=1)
    assert version.margin_bp == 1


def test_a_new_version_retires_the_one_before(cast, actor):
    first = product_on_sale(actor)
    second = product_on_sale(actor, first.product, margin_bp=60)

    first = ProductVersion.objects.get(pk=first.pk)
    assert (first.state, second.state, second.number) == ("retired", "active", 2)
    assert active_version("SB") == second


def test_a_version_starts_from_the_one_before(cast, actor):
    first = product_on_sale(actor)

    second = products.draft_product_version(actor=actor("zhou"), product_id=first.product_id, margin_bp=60)

    assert second.margin_bp == 60
    assert second.repayment_methods == first.repayment_methods
    assert second.max_amount == first.max_amount


def test_a_rejected_version_goes_back_with_the_reason(cast, actor):
    version = draft_version(actor("qian"))
    products.submit_product_version(actor=actor("qian"), product_version_id=version.pk)
    before = world()
    with pytest.raises(InvalidInput):
        products.reject_product_version(actor=actor("zhou"), product_version_id=version.pk, reason="")
    assert world() == before

    products.reject_product_version(actor=actor("zhou"), product_version_id=version.pk, reason="上限过高")

    assert ProductVersion.objects.get().state == "draft"
    assert Event.objects.get(name="policy.reject").reason == "上限过高"


def test_steps_of_a_version_come_in_their_order(cast, actor):
    version = draft_version(actor("qian"))
    before = world()
    with pytest.raises(WrongState):
        products.activate_product_version(actor=actor("zhou"), product_version_id=version.pk)
    with pytest.raises(WrongState):
        products.reject_product_version(actor=actor("zhou"), product_version_id=version.pk, reason="早了")
    assert world() == before

    version = product_on_sale(actor, version.product)
    before = world()
    with pytest.raises(WrongState):
        products.update_product_version(actor=actor("qian"), product_version_id=version.pk, margin_bp=0)
    assert world() == before


@pytest.mark.django_db(transaction=True)
def test_two_activations_at_once_leave_one_on_sale():
    cast = make_cast()
    first = product_on_sale(cast.actor)
    rivals = [draft_version(cast.actor("qian"), first.product, margin_bp=bp) for bp in (60, 70)]
    for version in rivals:
        products.submit_product_version(actor=cast.actor("qian"), product_version_id=version.pk)
    zhou = cast.actor("zhou")
    start = Barrier(2)

    def activate(version):
        start.wait()
        try:
            products.activate_product_version(actor=zhou, product_version_id=version.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(activate, rivals))

    states = sorted(ProductVersion.objects.values_list("state", flat=True))
    assert states == ["active", "retired", "retired"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"min_amount": Decimal(0)}, "min_amount"),
        ({"max_amount": Decimal("9999.99")}, "max_amount"),
        ({"max_term_days": 0}, "max_term_days"),
        ({"repayment_methods": []}, "repayment_methods"),
        ({"repayment_methods": ["whenever"]}, "repayment_methods"),
        ({"guarantee_modes": ["handshake"]}, "guarantee_modes"),
        ({"day_count": "actual/364"}, "day_count"),
        ({"rate_floor": Decimal("0.06")}, "rate_cap"),
        ({"rate_cap": Decimal("3.45")}, "rate_cap"),
        ({"margin_bp": 1.5}, "margin_bp"),
        ({"grade_margins_bp": {"Z": 1}}, "grade_margins_bp"),
        ({"guarantee_discounts_bp": {"mortgage": "15"}}, "guarantee_discounts_bp"),
        ({"repeat_discount_bp": -1}, "repeat_discount_bp"),
        ({"required_documents": [""]}, "required_documents"),
        ({"customer_kinds": ["robot"]}, "customer_kinds"),
        ({"size_classes": ["huge"]}, "size_classes"),
        ({"risk_grades": ["Z"]}, "risk_grades"),
        ({"industries": [""]}, "industries"),
        ({"clusters": ["没有代码"]}, "clusters"),
        ({"min_term_days": 0}, "min_term_days"),
        ({"min_term_days": 1101}, "max_term_days"),
        ({"frequencies": ["month:0"]}, "frequencies"),
        ({"frequencies": ["year:1"]}, "frequencies"),
        ({"month_end": "skip"}, "month_end"),
        ({"due_day_rule": "fixed"}, "due_day"),
        ({"due_day_rule": "fixed", "due_day": 32}, "due_day"),
        ({"holiday_roll": "sideways"}, "holiday_roll"),
        ({"interest_follows_holiday": True}, "interest_follows_holiday"),
        ({"max_principal_grace": -1}, "max_principal_grace"),
        ({"max_interest_grace": 121}, "max_interest_grace"),
        ({"instalment_rounding": Decimal("0.005")}, "instalment_rounding"),
        ({"guarantee_caps": {"credit": {"share": "1.2"}}}, "guarantee_caps"),
        ({"guarantee_caps": {"credit": {"share": 0.5}}}, "guarantee_caps"),
        ({"guarantee_caps": {"credit": {"max_amount": "-1.00"}}}, "guarantee_caps"),
        ({"guarantee_caps": {"handshake": {"share": "0.5"}}}, "guarantee_caps"),
        ({"fees": [{"name_zh": "手续费", "name_en": "Fee", "kind": "fixed", "value": "1000.00"}]}, "fees"),
        ({"fees": [FEE | {"value": "-1.00"}]}, "fees"),
        ({"fees": [FEE | {"kind": "percent", "value": "1"}]}, "fees"),
        ({"fees": [FEE | {"name_en": " "}]}, "fees"),
        ({"fees": [FEE | {"on": "whenever"}]}, "fees"),
        ({"overdue_uplift": Decimal("0.29")}, "overdue_uplift"),
        ({"overdue_uplift": Decimal("0.51")}, "overdue_uplift"),
        ({"misuse_uplift": Decimal("0.49")}, "misuse_uplift"),
        ({"misuse_uplift": Decimal("1.01")}, "misuse_uplift"),
        ({"grace_days": 91}, "grace_days"),
        ({"allocation_order": ["penalty"]}, "allocation_order"),
        ({"allocation_order": ["fee"] * 4}, "allocation_order"),
        ({"allocation_sequence": "random"}, "allocation_sequence"),
        ({"surplus": "keep_it"}, "surplus"),
        ({"payoff_interest": "never"}, "payoff_interest"),
        ({"offer_validity_days": 0}, "offer_validity_days"),
        ({"rate_kind": "floating"}, "repricing"),
        ({"rate_kind": "floating", "repricing": "every_months"}, "repricing_months"),
        ({"rate_kind": "floating", "repricing": "every_months", "repricing_months": 61}, "repricing_months"),
        ({"cluster_discounts_bp": {"P 1": 10}}, "cluster_discounts_bp"),
        ({"cluster_discounts_bp": {"P1": -10}}, "cluster_discounts_bp"),
    ],
)
def test_an_impossible_offer_is_refused_by_field(cast, actor, change, field):
    product = draft_version(actor("qian")).product
    before = world()

    with pytest.raises(InvalidInput) as refused:
        products.draft_product_version(actor=actor("qian"), product_id=product.pk, **(OFFER | change))

    assert list(refused.value.fields) == [field]
    assert world() == before


def test_products_are_written_by_product_managers_and_read_by_staff(cast, actor):
    version = product_on_sale(actor)
    before = world()
    for name in set(PEOPLE) - {"qian", "zhou"}:
        with pytest.raises(PermissionRefused):
            products.draft_product_version(actor=actor(name), product_id=version.product_id, **OFFER)
        with pytest.raises(PermissionRefused):
            products.create_product(actor=actor(name), code="X", name_zh="某贷", name_en="Some", family="term")
        with pytest.raises(PermissionRefused):
            prime_rates.import_lpr(actor=actor(name), rows=[])
        assert version in visible(ProductVersion, actor(name))
    assert world() == before


def test_a_product_code_stands_once(cast, actor):
    draft_version(actor("qian"))
    before = world()
    with pytest.raises(InvalidInput) as refused:
        products.create_product(actor=actor("zhou"), code="sb", name_zh="又一贷", name_en="Another", family="term")
    assert list(refused.value.fields) == ["code"]
    assert world() == before


def test_what_says_nothing_is_not_kept(cast, actor):
    version = draft_version(
        actor("qian"),
        due_day_rule="chosen",
        due_day=20,
        rate_kind="fixed",
        repricing="every_months",
        repricing_months=6,
        guarantee_caps={"pledge": {"share": "0.5"}, "credit": {"max_amount": "500000.00"}},
    )

    assert (version.due_day, version.repricing, version.repricing_months) == (None, "", None)
    assert version.guarantee_caps == {"credit": {"max_amount": "500000.00"}}


def test_a_version_is_taken_off_sale_with_the_reason(cast, actor):
    version = product_on_sale(actor)
    before = world()
    with pytest.raises(InvalidInput):
        products.retire_product_version(actor=actor("qian"), product_version_id=version.pk, reason=" ")
    with pytest.raises(PermissionRefused):
        products.retire_product_version(actor=actor("lin"), product_version_id=version.pk, reason="停售")
    assert world() == before

    products.retire_product_version(actor=actor("qian"), product_version_id=version.pk, reason="停售")

    assert active_version("SB") is None
    assert Event.objects.get(name="policy.retire").reason == "停售"


# --- the prime rate --------------------------------------------------------------------------------------------


def test_the_published_history_comes_in_once(cast, actor):
    rows = [
        {
            "published_date": rate.published_date,
            "one_year": rate.lpr_1y * 100,
            "five_year": rate.lpr_5y_plus * 100,
            "source": "National Interbank Funding Center",
        }
        for rate in LPR_HISTORY
    ]

    first, again = (prime_rates.import_lpr(actor=actor("qian"), rows=rows) for _ in range(2))
    assert (first["added"], first["unchanged"], first["refused"]) == (len(LPR_HISTORY), 0, 0)
    assert (again["added"], again["unchanged"], again["refused"]) == (0, len(LPR_HISTORY), 0)
    assert {report["outcome"] for report in again["rows"]} == {"unchanged"}
    before, after = lpr_on(date(2024, 10, 20)), lpr_on(date(2024, 10, 21))
    assert before is not None
    assert before.one_year == Decimal("3.35")
    assert after is not None
    assert after.one_year == Decimal("3.10")
    assert lpr_on(date(2019, 8, 19)) is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {"published_date": "2025-05-20", "one_year": "3.10", "five_year": "3.50", "source": "x"},
            "该日已有另一份公布。",
        ),
        ({"published_date": "2025-06-31", "one_year": "3.00", "five_year": "3.50", "source": "x"}, "2025-05-20"),
        ({"published_date": "2025-06-20", "one_year": "0.0300", "five_year": "3.50", "source": "x"}, "百分比"),
        ({"published_date": "2025-06-20", "one_year": "3.001", "five_year": "3.50", "source": "x"}, "百分比"),
        ({"published_date": "2025-06-20", "one_year": "", "five_year": "3.50", "source": "x"}, "一年期"),
        ({"published_date": "2025-06-20", "one_year": "3.00", "five_year": "3.50"}, "来源"),
        ({"published_date": "2025-06-20", "one_year": "NaN", "five_year": "3.50", "source": "x"}, "百分比"),
    ],
)
def test_a_bad_or_contradicting_announcement_is_refused_and_the_others_stand(cast, actor, row, reason):
    publish_lpr()
    good = {"published_date": "2025-07-21", "one_year": "3.00", "five_year": "3.50", "source": "x"}
    present = LprRate.objects.get()

    with translation.override("zh-hans"):
        answer = prime_rates.import_lpr(actor=actor("qian"), rows=[row, good])

    assert [report["outcome"] for report in answer["rows"]] == ["refused", "added"]
    assert [report["row"] for report in answer["rows"]] == [1, 2]
    assert reason in answer["rows"][0]["reason"]
    assert set(LprRate.objects.values_list("published_date", flat=True)) == {date(2025, 5, 20), date(2025, 7, 21)}
    assert LprRate.objects.get(pk=present.pk).one_year == present.one_year


def test_one_announcement_alone_says_what_is_wrong_with_it(cast, actor):
    publish_lpr()
    before = world()
    with pytest.raises(InvalidInput) as refused:
        prime_rates.record_lpr(
            actor=actor("qian"), published_date="2025-05-20", one_year="3.10", five_year="3.50", source="x"
        )
    assert list(refused.value.fields) == ["published_date"]
    assert world() == before


# --- quotes ------------------------------------------------------------------------------------------------------


def test_a_quote_names_every_part_of_the_rate(cast, actor):
    version = product_on_sale(actor)

    values = price(version, guarantee="mortgage", grade="B", earlier_loans=2)

    # Over twelve months, so the over-five-year rate: 3.50 + 0.85 + 0.40 - 0.15 - 0.10 = 4.50 %.
    assert values["lpr"] == {"published_date": "2025-05-20", "term": "5y_plus", "rate": "0.035000", "source": "NIFC"}
    assert [(part["code"], part["bp"]) for part in values["components"]] == [
        ("product_margin", "85"), ("grade_margin", "40"), ("guarantee_discount", "-15"), ("repeat_customer", "-10"),
    ]  # fmt: skip
    assert values["annual_rate"] == "0.045000"
    assert all(part["source"].startswith("SB v1") for part in values["components"])


def test_up_to_a_year_is_priced_off_the_one_year_rate(cast, actor):
    version = product_on_sale(actor)

    assert price(version, instalments=12)["lpr"]["term"] == "1y"
    assert price(version, instalments=13)["lpr"]["term"] == "5y_plus"
    assert price(version, instalments=12)["annual_rate"] == "0.038500"


def test_floor_and_cap_show_as_the_last_component(cast, actor):
    version = product_on_sale(actor, margin_bp=400, guarantee_discounts_bp={"mortgage": 900})

    capped, floored = price(version), price(version, guarantee="mortgage")

    assert (capped["annual_rate"], capped["bound"]) == ("0.055000", "cap")
    assert capped["components"][-1] == {"code": "cap", "bp": "-200", "source": "product"}
    assert (floored["annual_rate"], floored["bound"]) == ("0.034500", "floor")


def test_the_plan_of_a_quote_sums_to_the_loan(cast, actor):
    values = price(product_on_sale(actor))

    assert len(values["rows"]) == values["instalment_count"] == 36
    assert sum(Decimal(row["principal"]) for row in values["rows"]) == 800000
    assert values["rows"][-1]["balance"] == "0.00"
    assert values["maturity_date"] == "2029-03-02"
    assert values["total"] == str(Decimal(800000) + Decimal(values["interest_total"]))
    # Without fees, twelve equal periods a year cost the rate itself.
    assert abs(Decimal(values["apr_simple"]) - Decimal(values["annual_rate"])) < Decimal("0.00001")
    assert Decimal(values["apr_irr"]) > Decimal(values["apr_simple"])
    assert "rows" not in without_rows(values)


def test_without_a_published_rate_there_is_no_quote(cast, actor):
    version = draft_version(actor("qian"))
    with pytest.raises(Unmet):
        price(version)


@pytest.mark.parametrize("instalments", [0, 1201])
def test_terms_no_plan_can_be_made_of_are_refused(cast, actor, instalments):
    with pytest.raises(InvalidInput) as refused:
        price(product_on_sale(actor), instalments=instalments)
    assert list(refused.value.fields) == ["instalments"]


@pytest.mark.parametrize(
    ("end", "months"),
    [
        (date(2027, 3, 2), 12),
        (date(2027, 3, 1), 12),
        (date(2027, 3, 3), 13),
        (date(2026, 3, 3), 1),
    ],
)
def test_a_part_of_a_month_counts_as_one(end, months):
    assert months_until(date(2026, 3, 2), end) == months
