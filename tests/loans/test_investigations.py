"""Two people look, and sign what they saw; whatever changes afterwards must be signed again."""

from datetime import date
from decimal import Decimal

import pytest

from branch.domain.refusals import (
    DutiesConflict,
    InvalidInput,
    NotFound,
    PermissionRefused,
    StaleVersion,
    Unmet,
    WrongState,
)
from branch.models import Event, FileDuty, OutboxMessage, ParameterValue, RoleAssignment
from branch.queries.visibility import visible
from customers.services.records import receive_records
from loans.models import Application, Investigation
from loans.services import applications, investigations
from tests.cast import PEOPLE
from tests.customers.making import event_names, register_sources
from tests.loans.making import FACTS, investigated_file, product_on_sale, signed_file, submitted_file


@pytest.fixture(autouse=True)
def on_sale(cast, actor):
    return product_on_sale(actor)


def world():
    return (
        list(Application.objects.order_by("pk").values()),
        list(Investigation.objects.order_by("pk").values()),
        list(FileDuty.objects.order_by("pk").values()),
        Event.objects.count(),
    )


def save(actor, investigation, **facts):
    return investigations.save_investigation(actor=actor, investigation_id=investigation.pk, **facts)


def sign(actor, investigation, **options):
    return investigations.sign_as_owner(actor=actor, investigation_id=investigation.pk, **options)


def sign_second(actor, investigation):
    return investigations.sign_as_second(actor=actor, investigation_id=investigation.pk)


def test_facts_become_grades_tables_and_a_risk_grade(actor):
    findings = investigated_file(actor).findings

    # Character (100+100+50)/3, product (100+50+50)/3, collateral (100+50+0)/3; weights 40, 35, 25.
    grades = {name: findings["grades"][name] for name in ("character", "product", "collateral", "overall")}
    assert grades == {
        "character": {"score": "83.33", "letter": "A"},
        "product": {"score": "66.67", "letter": "B"},
        "collateral": {"score": "50.00", "letter": "C"},
        "overall": {"score": "69.17", "letter": "B"},
    }
    assert findings["risk_grade"] == "B"
    assert [(t["code"], t["checked"], t["deviation"], t["verdict"]) for t in findings["tables"]] == [
        ("electricity", "8240640.00", "0.0418", "green"),
        ("water", "8236800.00", "0.0422", "green"),
        ("tax", "6622000.00", "0.2300", "red"),
    ]


def test_findings_grow_with_the_facts(actor):
    application = submitted_file(actor)
    applications.start_investigation(actor=actor("lin"), application_id=application.pk)
    investigation = Investigation.objects.get()

    investigation = save(actor("lin"), investigation, taxed_sales=Decimal("8600000"), repays_on_time=2)

    assert investigation.findings["risk_grade"] == ""
    assert len(investigation.findings["grades"]["missing"]) == 8
    assert [t["code"] for t in investigation.findings["tables"]] == ["tax"]


def test_tolerance_is_a_parameter_and_stands_with_the_findings(actor):
    ParameterValue.objects.create(code="deviation.tolerance_amber", value="0.25", effective_date=date(2026, 1, 1))

    findings = investigated_file(actor).findings

    assert findings["tables"][2]["verdict"] == "amber"
    assert findings["tolerance"] == {"green": "0.05", "amber": "0.25"}


def test_a_year_of_outside_records_is_filled_in(actor):
    application = submitted_file(actor)
    months = [f"2025-{m:02d}" for m in range(3, 13)] + ["2026-01", "2026-02"]
    register_sources(grid="国网")
    receive_records(
        actor=actor("lin"),
        customer_id=application.customer_id,
        records=[
            {"metric": "electricity_kwh", "source": "grid", "period_month": month, "value": 21460} for month in months
        ],
    )

    applications.start_investigation(actor=actor("lin"), application_id=application.pk)

    investigation = Investigation.objects.get()
    assert investigation.electricity_kwh == 257520
    assert investigation.water_m3 is None


def test_the_owner_signs_and_then_a_second_person(cast, actor):
    investigation = signed_file(actor)

    assert investigation.state == "signed_by_second"
    assert investigation.second == cast.zhao
    first, second = investigation.signed_by_owner_at, investigation.signed_by_second_at
    assert first is not None
    assert second is not None
    assert first < second
    assert sorted(FileDuty.objects.values_list("user_id", "duty")) == sorted(
        [(cast.lin.pk, "own"), (cast.zhao.pk, "co_investigate")]
    )
    topics = OutboxMessage.objects.filter(topic__startswith="investigation.").values_list("topic", flat=True)
    assert sorted(topics) == ["investigation.signed_by_owner", "investigation.signed_by_second"]


def test_the_second_signature_prices_the_file_with_its_grade(actor):
    investigation = investigated_file(actor)
    sign(actor("lin"), investigation)
    before = Application.objects.get().quote

    sign_second(actor("zhao"), investigation)

    application = Application.objects.get()
    assert application.quote["grade"] == "B"
    assert Decimal(application.quote["annual_rate"]) == Decimal(before["annual_rate"]) + Decimal("0.0040")
    assert "application.reprice" in event_names(application)


def test_the_owner_never_signs_second(cast, actor):
    RoleAssignment.objects.create(
        user=cast.lin, role="co_investigator", office=cast.offices.CD, start_date=date(2020, 1, 1)
    )
    investigation = investigated_file(actor)
    sign(actor("lin"), investigation)
    before = world()

    with pytest.raises(DutiesConflict):
        sign_second(actor("lin"), investigation)

    assert world() == before


def test_one_duty_each_over_the_life_of_the_file(cast, actor):
    investigation = investigated_file(actor)
    sign(actor("lin"), investigation)
    FileDuty.objects.create(file_key=investigation.file_key, user_id=cast.zhao.pk, duty="review")
    before = world()

    with pytest.raises(DutiesConflict):
        sign_second(actor("zhao"), investigation)
    with pytest.raises(DutiesConflict):
        save(actor("zhao"), investigation, opinion="改过")

    assert world() == before


@pytest.mark.parametrize("field", ["visited_on", "visit_place", "repays_on_time", "taxed_sales", "opinion"])
def test_nobody_signs_an_incomplete_visit(actor, field):
    investigation = investigated_file(actor, **{field: "" if field in ("visit_place", "opinion") else None})
    before = world()

    with pytest.raises(Unmet) as refused:
        sign(actor("lin"), investigation)

    assert refused.value.facts["missing"] == [field]
    assert world() == before


def test_a_deviation_beyond_tolerance_is_explained_before_signing(actor):
    investigation = investigated_file(actor, deviation_note=" ")
    before = world()
    with pytest.raises(Unmet) as refused:
        sign(actor("lin"), investigation)
    assert refused.value.facts["tables"] == ["tax"]
    assert world() == before

    save(actor("lin"), investigation, deviation_note="门市零售未开票")
    assert sign(actor("lin"), investigation).state == "signed_by_owner"


def test_without_a_deviation_no_explanation_is_asked(actor):
    investigation = investigated_file(actor, deviation_note="", taxed_sales=Decimal("8500000.00"))

    assert sign(actor("lin"), investigation).state == "signed_by_owner"


@pytest.mark.parametrize("editor", ["lin", "zhao"])
def test_a_changed_fact_voids_both_signatures(actor, editor):
    investigation = signed_file(actor)

    investigation = save(actor(editor), investigation, opinion="复核后改写")

    assert investigation.state == "open"
    assert (investigation.signed_by_owner_at, investigation.second, investigation.signed_by_second_at) == (
        None, None, None,
    )  # fmt: skip
    assert event_names(investigation)[-1] == "investigation.void_signatures"


def test_saving_what_is_there_already_leaves_the_signatures(actor):
    investigation = signed_file(actor)

    investigation = save(actor("lin"), investigation, **FACTS)

    assert investigation.state == "signed_by_second"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"repays_on_time": 3}, "repays_on_time"),
        ({"electricity_kwh": Decimal("-1")}, "electricity_kwh"),
        ({"electricity_kwh": Decimal("1.005")}, "electricity_kwh"),
        ({"sales_per_kwh": Decimal("NaN")}, "sales_per_kwh"),
        ({"taxed_sales": Decimal(10) ** 15}, "taxed_sales"),
        ({"visited_on": date(2026, 3, 3)}, "visited_on"),
        ({"visit_latitude": Decimal(91)}, "visit_latitude"),
        ({"visit_place": "x" * 201}, "visit_place"),
    ],
)
def test_an_impossible_fact_is_refused_and_the_signatures_stand(actor, facts, field):
    investigation = signed_file(actor)
    before = world()

    with pytest.raises(InvalidInput) as refused:
        save(actor("lin"), investigation, **facts)

    assert list(refused.value.fields) == [field]
    assert world() == before


def test_who_may_not_save_or_sign(actor):
    investigation = investigated_file(actor)
    before = world()
    calls = (
        lambda who: save(who, investigation, opinion="x"),
        lambda who: sign(who, investigation),
        lambda who: sign_second(who, investigation),
    )
    for call in calls:
        for name in ("sun", "qian", "zhou", "feng"):
            with pytest.raises(PermissionRefused):
                call(actor(name))
        for name in ("wu", "he", "outsider"):
            with pytest.raises(NotFound):
                call(actor(name))
    with pytest.raises(PermissionRefused):
        sign(actor("zhao"), investigation)
    with pytest.raises(WrongState):
        sign_second(actor("zhao"), investigation)
    assert world() == before


def test_who_sees_an_investigation(actor):
    investigation = investigated_file(actor)

    seen_by = {name for name in PEOPLE if investigation in visible(Investigation, actor(name))}

    assert seen_by == {"lin", "zhao", "sun", "qian", "zhou", "feng"}


def test_a_stale_signature_is_refused(actor):
    investigation = investigated_file(actor)
    seen = investigation.version
    save(actor("zhao"), investigation, opinion="赵改过")
    before = world()

    with pytest.raises(StaleVersion):
        sign(actor("lin"), investigation, expected_version=seen)

    assert world() == before


def test_a_withdrawn_file_is_no_longer_investigated(actor):
    investigation = investigated_file(actor)
    applications.withdraw_application(actor=actor("lin"), application_id=investigation.application_id, reason="不借了")
    before = world()
    with pytest.raises(WrongState):
        save(actor("lin"), investigation, opinion="晚了")
    with pytest.raises(WrongState):
        sign(actor("lin"), investigation)
    assert world() == before


def test_a_returned_file_is_looked_into_and_signed_again(actor):
    investigation = signed_file(actor)
    investigations.close_investigation(actor=actor("lin"), investigation_id=investigation.pk)
    Application.objects.update(state="returned")

    application = applications.resume_application(actor=actor("lin"), application_id=investigation.application_id)

    investigation = Investigation.objects.get()
    assert (application.state, investigation.state) == ("investigating", "open")
    assert investigation.signed_by_owner_at is None
    assert investigation.second is None
    assert investigation.opinion == FACTS["opinion"]
    sign(actor("lin"), investigation)
    assert sign_second(actor("zhao"), investigation).state == "signed_by_second"


def test_only_a_returned_file_is_taken_up_again(actor):
    investigation = signed_file(actor)
    before = world()
    with pytest.raises(WrongState):
        applications.resume_application(actor=actor("lin"), application_id=investigation.application_id)
    with pytest.raises(PermissionRefused):
        applications.resume_application(actor=actor("zhao"), application_id=investigation.application_id)
    assert world() == before


def test_what_is_signed_is_judged_by_the_parameters_of_that_day(actor):
    investigation = investigated_file(actor, deviation_note="", taxed_sales=Decimal("8300000.00"))
    assert investigation.findings["tables"][2]["verdict"] == "green"
    ParameterValue.objects.create(code="deviation.tolerance_green", value="0.03", effective_date=date(2026, 1, 1))

    with pytest.raises(Unmet):
        sign(actor("lin"), investigation)
    save(actor("lin"), investigation, deviation_note="零售未开票")

    assert sign(actor("lin"), investigation).findings["tables"][2]["verdict"] == "amber"
