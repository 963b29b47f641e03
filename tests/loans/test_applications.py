"""A file from the first keystroke to the investigator's desk, and out of it again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connections

from branch.domain.refusals import (
    DutiesConflict,
    InvalidInput,
    NotFound,
    PermissionRefused,
    StaleVersion,
    Unmet,
    WrongState,
)
from branch.models import BusinessDay, Event, FileDuty, OutboxMessage
from branch.queries.visibility import visible
from customers.services.customers import update_customer
from loans.models import Application, Investigation, ProductVersion
from loans.queries.applications import fact_count, missing_facts
from loans.services import applications
from tests.cast import PEOPLE, make_cast
from tests.customers.making import event_names, make_customer
from tests.loans.making import TERMS, draft_file, product_on_sale, submitted_file


@pytest.fixture
def on_sale(cast, actor):
    return product_on_sale(actor)


def world():
    return (
        list(Application.objects.order_by("pk").values()),
        list(Investigation.objects.order_by("pk").values()),
        list(FileDuty.objects.order_by("pk").values()),
        Event.objects.count(),
        OutboxMessage.objects.count(),
    )


def in_state(application, state, **fields):
    """Put a file into a state that other apps bring about."""
    Application.objects.filter(pk=application.pk).update(state=state, **fields)
    return Application.objects.get(pk=application.pk)


# --- drafting ------------------------------------------------------------------------------------------------


def test_a_draft_needs_nothing_but_the_customer(on_sale, cast, actor):
    customer = make_customer(actor("lin"))

    application = applications.draft_application(actor=actor("lin"), customer_id=customer.pk)

    assert application.number == "XW-2026-000001"
    assert (application.state, application.owner, application.office) == ("draft", cast.lin, cast.offices.HW)
    assert application.product_version == on_sale
    assert application.stated_annual_sales == customer.annual_sales
    assert Decimal(application.quote["annual_rate"]) > 0
    assert event_names(application) == ["application.draft"]


def test_the_next_draft_starts_from_the_last_file(on_sale, actor):
    first = submitted_file(actor)

    second = applications.draft_application(actor=actor("lin"), customer_id=first.customer_id)

    for field in ("amount", "instalments", "repayment_method", "guarantee_mode"):
        assert getattr(second, field) == getattr(first, field)
    assert second.purpose == ""


def test_numbers_run_on_and_a_rolled_back_one_is_used_again(on_sale, actor):
    customer = make_customer(actor("lin"))
    with pytest.raises(InvalidInput):
        applications.draft_application(actor=actor("lin"), customer_id=customer.pk, instalments=0)

    numbers = [applications.draft_application(actor=actor("lin"), customer_id=customer.pk).number for _ in range(3)]

    assert numbers == ["XW-2026-000001", "XW-2026-000002", "XW-2026-000003"]


def test_numbers_start_anew_each_year(on_sale, actor):
    customer = make_customer(actor("lin"))
    applications.draft_application(actor=actor("lin"), customer_id=customer.pk)
    BusinessDay.objects.update(state="closed")
    BusinessDay.objects.create(date=date(2027, 1, 4))

    application = applications.draft_application(actor=actor("lin"), customer_id=customer.pk)

    assert application.number == "XW-2027-000001"


@pytest.mark.django_db(transaction=True)
def test_numbers_are_unique_and_without_gaps_however_many_draft_at_once():
    cast = make_cast()
    product_on_sale(cast.actor)
    lin = cast.actor("lin")
    customer = make_customer(lin)
    start = Barrier(6)

    def draft(_):
        start.wait()
        try:
            return [applications.draft_application(actor=lin, customer_id=customer.pk).number for _ in range(4)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        numbers = sorted(number for answer in pool.map(draft, range(6)) for number in answer)

    assert numbers == [f"XW-2026-{n:06d}" for n in range(1, 25)]


def test_only_the_customers_own_account_manager_files(on_sale, actor):
    customer = make_customer(actor("lin"))
    before = world()

    for name in ("zhao", "sun", "qian", "wu", "zhou", "he", "feng"):
        with pytest.raises(PermissionRefused):
            applications.draft_application(actor=actor(name), customer_id=customer.pk)
    with pytest.raises(NotFound):
        applications.draft_application(actor=actor("outsider"), customer_id=customer.pk)

    assert world() == before


def test_with_nothing_on_sale_nothing_is_drafted(cast, actor):
    customer = make_customer(actor("lin"))
    with pytest.raises(Unmet):
        applications.draft_application(actor=actor("lin"), customer_id=customer.pk)
    assert not Application.objects.exists()


# --- saved as typed ------------------------------------------------------------------------------------------


def test_what_is_typed_is_kept_and_priced(on_sale, actor):
    application = draft_file(actor)
    former = application.quote

    application = applications.update_application(
        actor=actor("lin"), application_id=application.pk, amount=Decimal("500000.00"), guarantee_mode="mortgage"
    )

    assert application.amount == Decimal("500000.00")
    assert application.purpose == TERMS["purpose"]
    assert Decimal(application.quote["annual_rate"]) == Decimal(former["annual_rate"]) - Decimal("0.0015")
    assert "rows" not in application.quote


def test_what_the_product_does_not_allow_is_kept_but_not_submitted(on_sale, actor):
    application = draft_file(actor, amount=Decimal("9000000.00"), repayment_method="bullet", instalments=48)
    before = world()

    with pytest.raises(InvalidInput) as refused:
        applications.submit_application(actor=actor("lin"), application_id=application.pk)

    assert sorted(refused.value.fields) == ["amount", "instalments", "repayment_method"]
    assert world() == before


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"amount": Decimal(0)}, "amount"),
        ({"amount": Decimal("1.005")}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"instalments": 0}, "instalments"),
        ({"instalments": 5000}, "instalments"),
        ({"frequency_every": 0}, "frequency_every"),
        ({"frequency_unit": "year"}, "frequency_unit"),
        ({"repayment_method": "someday"}, "repayment_method"),
        ({"guarantee_mode": "handshake"}, "guarantee_mode"),
        ({"purpose": "x" * 201}, "purpose"),
        ({"stated_annual_sales": Decimal("-1")}, "stated_annual_sales"),
        ({"product_id": 0}, "product_id"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(on_sale, actor, terms, field):
    application = draft_file(actor)
    before = world()

    with pytest.raises(InvalidInput) as refused:
        applications.update_application(actor=actor("lin"), application_id=application.pk, **terms)

    assert list(refused.value.fields) == [field]
    assert world() == before


def test_two_windows_do_not_overwrite_each_other(on_sale, actor):
    application = draft_file(actor)
    seen = application.version
    applications.update_application(
        actor=actor("lin"), application_id=application.pk, expected_version=seen, purpose="买冲床"
    )
    before = world()

    with pytest.raises(StaleVersion):
        applications.update_application(
            actor=actor("lin"), application_id=application.pk, expected_version=seen, purpose="买车"
        )

    assert world() == before


# --- submitting ----------------------------------------------------------------------------------------------


def test_a_complete_file_is_submitted_with_its_price(on_sale, cast, actor):
    application = submitted_file(actor)

    assert application.state == "submitted"
    assert application.submitted_at is not None
    assert application.quote["annual_rate"] == "0.043500"
    assert FileDuty.objects.get().duty == "own"
    assert OutboxMessage.objects.get(topic="application.submitted").payload == {"application_id": application.pk}


def test_what_is_missing_is_listed_by_name(on_sale, actor):
    customer = make_customer(actor("lin"), identity_number="", repayment_account="")
    application = draft_file(actor, customer, purpose="", stated_annual_sales=None)
    before = world()

    with pytest.raises(Unmet) as refused:
        applications.submit_application(actor=actor("lin"), application_id=application.pk)

    assert refused.value.facts["missing"] == [
        "customer.identity_number",
        "customer.repayment_account",
        "application.purpose",
        "application.stated_annual_sales",
    ]
    assert world() == before
    assert len(missing_facts(application)) == 4
    assert fact_count(application) == 8


def test_the_missing_list_shrinks_as_facts_come_in(on_sale, actor):
    customer = make_customer(actor("lin"), address="")
    application = draft_file(actor, customer)
    assert [fact.code for fact in missing_facts(application)] == ["address"]

    update_customer(actor=actor("lin"), customer_id=customer.pk, address="江北五金城 A 区 1 号")

    assert missing_facts(Application.objects.get()) == []


def test_a_version_taken_off_sale_is_chosen_again(on_sale, actor):
    application = draft_file(actor)
    newer = product_on_sale(actor, on_sale.product, margin_bp=60)
    with pytest.raises(InvalidInput) as refused:
        applications.submit_application(actor=actor("lin"), application_id=application.pk)
    assert list(refused.value.fields) == ["product_id"]

    applications.update_application(actor=actor("lin"), application_id=application.pk, product_id=on_sale.product_id)
    application = applications.submit_application(actor=actor("lin"), application_id=application.pk)

    assert application.product_version == newer


def test_a_running_file_keeps_its_version(on_sale, actor):
    application = submitted_file(actor)

    product_on_sale(actor, on_sale.product, margin_bp=60)

    assert Application.objects.get(pk=application.pk).product_version == on_sale
    assert ProductVersion.objects.get(pk=on_sale.pk).state == "retired"


def test_a_submitted_file_is_no_longer_typed_in(on_sale, actor):
    application = submitted_file(actor)
    before = world()
    with pytest.raises(WrongState):
        applications.update_application(actor=actor("lin"), application_id=application.pk, purpose="改")
    with pytest.raises(WrongState):
        applications.submit_application(actor=actor("lin"), application_id=application.pk)
    assert world() == before


def test_nobody_else_submits_or_edits_a_file(on_sale, actor):
    application = draft_file(actor)
    before = world()
    calls = (
        lambda who: applications.submit_application(actor=who, application_id=application.pk),
        lambda who: applications.update_application(actor=who, application_id=application.pk, purpose="x"),
    )
    for call in calls:
        for name in ("zhao", "sun", "qian", "zhou", "feng"):
            with pytest.raises(PermissionRefused):
                call(actor(name))
        for name in ("wu", "he", "outsider"):
            with pytest.raises(NotFound):
                call(actor(name))
    assert world() == before


def test_who_sees_a_file(on_sale, actor):
    application = submitted_file(actor)
    deciders = {"lin", "zhao", "sun", "qian", "zhou", "feng"}
    assert {name for name in PEOPLE if application in visible(Application, actor(name))} == deciders

    in_state(application, "approved")

    seen_by = {name for name in PEOPLE if application in visible(Application, actor(name))}
    assert seen_by == deciders | {"wu"}


# --- investigation begins ------------------------------------------------------------------------------------


def test_an_investigation_opens_with_the_file(on_sale, cast, actor):
    application = submitted_file(actor)

    application = applications.start_investigation(actor=actor("lin"), application_id=application.pk)

    investigation = application.investigation
    assert (application.state, investigation.state, investigation.owner) == ("investigating", "open", cast.lin)
    assert event_names(application) == ["application.draft", "application.submit", "application.investigate"]
    assert event_names(investigation) == ["investigation.create"]


def test_only_the_owner_begins_it_and_only_once(on_sale, actor):
    application = submitted_file(actor)
    before = world()
    with pytest.raises(PermissionRefused):
        applications.start_investigation(actor=actor("zhao"), application_id=application.pk)
    assert world() == before
    applications.start_investigation(actor=actor("lin"), application_id=application.pk)
    before = world()
    with pytest.raises(WrongState):
        applications.start_investigation(actor=actor("lin"), application_id=application.pk)
    assert world() == before


def test_an_owner_with_another_duty_on_the_file_is_stopped(on_sale, cast, actor):
    application = draft_file(actor)
    FileDuty.objects.create(file_key=application.file_key, user_id=cast.lin.pk, duty="review")
    before = world()

    with pytest.raises(DutiesConflict):
        applications.submit_application(actor=actor("lin"), application_id=application.pk)

    assert world() == before


# --- the other ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lin", "zhou"])
@pytest.mark.parametrize("state", ["draft", "submitted", "investigating", "returned", "approved", "offer_accepted"])
def test_a_file_is_withdrawn_with_a_reason(on_sale, actor, name, state):
    application = in_state(draft_file(actor), state)

    application = applications.withdraw_application(
        actor=actor(name), application_id=application.pk, reason="改向亲友借"
    )

    assert (application.state, application.outcome_reason) == ("withdrawn", "改向亲友借")
    assert Event.objects.get(name="application.withdraw").reason == "改向亲友借"


def test_a_withdrawal_is_refused_without_reason_right_or_after_the_contract(on_sale, actor):
    application = draft_file(actor)
    before = world()
    withdraw = applications.withdraw_application
    with pytest.raises(InvalidInput):
        withdraw(actor=actor("lin"), application_id=application.pk, reason=" ")
    with pytest.raises(PermissionRefused):
        withdraw(actor=actor("sun"), application_id=application.pk, reason="x")
    with pytest.raises(NotFound):
        withdraw(actor=actor("outsider"), application_id=application.pk, reason="x")
    assert world() == before

    in_state(application, "contracted")
    before = world()
    with pytest.raises(WrongState):
        withdraw(actor=actor("lin"), application_id=application.pk, reason="x")
    assert world() == before
