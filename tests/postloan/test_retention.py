"""What forbids erasing a customer: every kind of open business, wherever it lives; and that nothing personal stays."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branch.domain.refusals import DutiesConflict, PermissionRefused, Unmet, WrongState
from branch.models import Attachment, OutboxMessage, PaymentInstruction
from branch.services.attachments import attach, open_attachment
from branch.services.file_store import path_of
from branch.services.outbox import deliver
from customers.domain.retention import Rule
from customers.models import Consent, Customer, ErasureRequest, Party, Relation
from customers.queries.retention import standing_of, standings_of_customers
from customers.services import consents, customers, merges, relations, retention
from loans.models import Application, Contract, Drawdown, Facility, Loan
from postloan.models import CollectionCase, LoanDay, WarningCase
from tests.customers.making import make_customer, resident_id_of, uscc_of
from tests.life import PDF
from tests.postloan.making import make_loan, open_on

LONG_AFTER = date(2040, 1, 2)


def codes(customer: Customer, today: date | None = None) -> set[str]:
    return {one.code for one in standing_of(customer, today).obstacles}


def over(loan: Loan, on: date = date(2026, 6, 1)) -> None:
    """The loan and its line as they are once all is paid back."""
    Loan.objects.filter(pk=loan.pk).update(state="settled", outstanding_principal=0, settled_date=on)
    Facility.objects.filter(customer=loan.customer).update(state="closed", maturity_date=on)


def asked(actor: Any, customer: Customer, channel: str = "counter", who: str = "lin") -> ErasureRequest:
    return retention.ask_customer_erasure(actor=actor(who), customer_id=customer.pk, channel=channel)


def erase(actor: Any, customer: Customer) -> Customer:
    return retention.erase_customer(actor=actor("zhou"), customer_id=customer.pk, reason="本人要求")


def test_a_new_customer_is_kept_by_the_banks_own_period_until_they_ask(cast, actor):
    customer = make_customer(actor("lin"))
    assert codes(customer) == {"own_period"}
    assert standing_of(customer).rule == Rule.NEVER_BORROWED

    asked(actor, customer)

    assert codes(customer) == set()


def test_an_open_loan_and_then_the_law(cast, actor):
    loan = make_loan(cast, 1)
    assert codes(loan.customer) == {"open_loan", "open_line"}
    over(loan)

    [obstacle] = standing_of(loan.customer).obstacles
    assert (obstacle.code, obstacle.until) == ("law_period", date(2036, 6, 1))
    assert codes(loan.customer, date(2036, 6, 1)) == {"law_period"}
    assert codes(loan.customer, date(2036, 6, 2)) == set()


@pytest.mark.parametrize("state", ["active", "called_in", "written_off"])
def test_whatever_is_owed_forbids_it(cast, state):
    loan = make_loan(cast, 1)
    Facility.objects.update(state="closed")
    Loan.objects.update(state=state)
    assert "open_loan" in codes(loan.customer, LONG_AFTER)


@pytest.mark.parametrize("state", ["pending_conditions", "effective", "frozen", "matured"])
def test_a_line_not_closed_forbids_it(cast, state):
    loan = make_loan(cast, 1)
    over(loan)
    Facility.objects.update(state=state)
    assert codes(loan.customer, LONG_AFTER) == {"open_line"}


@pytest.mark.parametrize("state", ["draft", "submitted", "in_review", "returned", "approved", "offer_accepted"])
def test_an_application_that_runs_forbids_it(cast, state):
    loan = make_loan(cast, 1)
    over(loan)
    Application.objects.update(state=state)
    assert codes(loan.customer, LONG_AFTER) == {"running_application"}


def test_a_contract_without_a_line_forbids_it(cast):
    loan = make_loan(cast, 1)
    over(loan)
    Contract.objects.update(state="generated")
    assert codes(loan.customer, LONG_AFTER) == {"open_contract"}


@pytest.mark.parametrize("state", ["requested", "checked", "disbursing", "unknown", "failed"])
def test_a_drawdown_on_its_way_forbids_it(cast, state):
    loan = make_loan(cast, 1)
    over(loan)
    Drawdown.objects.update(state=state)
    assert codes(loan.customer, LONG_AFTER) == {"open_drawdown"}


def test_open_cases_and_collection_forbid_it(cast):
    loan = make_loan(cast, 1)
    over(loan)
    common = {"office": loan.office, "customer": loan.customer, "owner": loan.owner, "opened_on": date(2026, 3, 2)}
    case = WarningCase.objects.create(**common, number="W1", level="red")
    collection = CollectionCase.objects.create(**common, number="C1", loan=loan)
    assert codes(loan.customer, LONG_AFTER) == {"open_case", "open_collection"}

    WarningCase.objects.filter(pk=case.pk).update(state="closed", outcome="resolved")
    CollectionCase.objects.filter(pk=collection.pk).update(state="closed", outcome="paid")
    assert codes(loan.customer, LONG_AFTER) == set()


@pytest.mark.parametrize("kind", ["guarantor", "beneficial_owner", "legal_representative"])
def test_who_stands_behind_somebody_else_s_open_loan_stays(cast, actor, kind):
    behind = make_customer(actor("lin"), 7)
    loan = make_loan(cast, 1)
    firm: Any = {"party_kind": "firm", "name": "七", "uscc": uscc_of(7)}
    if kind == "guarantor":
        relations.add_relation(actor=actor("lin"), customer_id=loan.customer_id, kind=kind, other=firm)
    else:
        ends = [Party.objects.create(kind="person", customer=one) for one in (behind, loan.customer)]
        Relation.objects.create(
            office=loan.office, customer=loan.customer, kind=kind, from_party=ends[0], to_party=ends[1]
        )
    assert "behind_a_loan" in codes(behind, LONG_AFTER)

    over(loan)
    assert codes(behind, LONG_AFTER) == set()


def test_a_hold_is_a_person_s_and_lifted_by_one(cast, actor):
    customer = make_customer(actor("lin"))
    with pytest.raises(PermissionRefused):
        retention.hold_customer(actor=actor("lin"), customer_id=customer.pk, reason="诉讼")
    retention.hold_customer(actor=actor("he"), customer_id=customer.pk, reason="诉讼")
    assert codes(customer, LONG_AFTER) == {"held"}

    retention.lift_customer_hold(actor=actor("zhou"), customer_id=customer.pk, reason="结案")
    assert codes(customer, LONG_AFTER) == set()


def test_long_arrears_are_a_ground_of_their_own(cast):
    loan = make_loan(cast, 1)
    over(loan)
    LoanDay.objects.create(
        loan=loan,
        customer_id=loan.customer_id,
        date=date(2026, 3, 30),
        outstanding_principal=1,
        overdue_amount=1,
        days_past_due=91,
        asset_class="substandard",
        class_rule="x",
        provision=0,
    )
    spans = {span.rule: span.until for span in standing_of(loan.customer).spans}
    assert spans == {Rule.IDENTIFICATION: date(2036, 6, 1), Rule.BAD_CREDIT: date(2031, 3, 30)}


def test_asked_for_while_the_law_forbids_it_the_data_is_kept_and_not_used(cast, actor):
    loan = make_loan(cast, 1, customer=make_customer(actor("lin")))
    over(loan)

    request = asked(actor, loan.customer)

    assert [one["code"] for one in request.obstacles] == ["law_period"]
    assert request.erasable_from == date(2036, 6, 2)
    customer = Customer.objects.get(pk=loan.customer_id)
    assert customer.restricted_on == cast.OPENING
    for use in (
        lambda: customers.update_customer(actor=actor("lin"), customer_id=customer.pk, industry="x"),
        lambda: customers.reveal_personal(actor=actor("lin"), customer_id=customer.pk, field="phone", reason="x"),
        lambda: consents.record_consent(
            actor=actor("lin"), customer_id=customer.pk, scope="tax", given_by_name="林", given_on=cast.OPENING,
            expires_on=LONG_AFTER,
        ),
    ):  # fmt: skip
        with pytest.raises(WrongState):
            use()
    with pytest.raises(Unmet) as refused:
        erase(actor, customer)
    [told] = refused.value.facts["obstacles"]
    assert told["until"] == "2036-06-01"
    assert "反洗钱法" in told["text"]

    retention.withdraw_erasure_request(actor=actor("lin"), erasure_request_id=request.pk, reason="又要贷款")
    assert Customer.objects.get(pk=customer.pk).closed_because() == ""


def test_two_people_erase_and_only_the_branch_manager(cast, actor):
    customer = make_customer(actor("lin"))
    with pytest.raises(Unmet):
        erase(actor, customer)
    mine = asked(actor, customer, who="zhou")
    with pytest.raises(DutiesConflict):
        erase(actor, customer)
    retention.withdraw_erasure_request(actor=actor("lin"), erasure_request_id=mine.pk, reason="重录")
    asked(actor, customer)
    with pytest.raises(Unmet):
        asked(actor, customer)
    with pytest.raises(PermissionRefused):
        retention.erase_customer(actor=actor("lin"), customer_id=customer.pk, reason="x")

    done = erase(actor, customer)

    assert (done.erased_on, done.erased_by, done.erased_rule) == (cast.OPENING, cast.zhou, "request")
    assert ErasureRequest.objects.get(state="fulfilled").customer == customer
    with pytest.raises(WrongState):
        erase(actor, customer)


def everything_stored(tables: set[str] | None = None) -> str:
    """Every row of every table the program keeps, as text, the encrypted columns in clear."""
    found = []
    for model in apps.get_models():
        if model._meta.managed and (tables is None or model._meta.model_name in tables):
            found += [str(row) for row in model._default_manager.values_list()]
    return "\n".join(found)


SECRETS = ("张桂芳", "13911112222", "王家坳", "6222020200099998888", "李守田", "麦子地", "老张说")


def test_nothing_personal_of_an_erased_household_stands_anywhere(cast, actor):
    lin = actor("lin")
    number, spouse = resident_id_of(11), resident_id_of(12)
    customer = make_customer(
        lin, 1, kind="farm_household", name="张桂芳", uscc=None, contact_name="张桂芳", identity_number=number,
        phone="13911112222", address="王家坳 7 号", repayment_account="6222020200099998888",
    )  # fmt: skip
    person: Any = {"party_kind": "person", "name": "李守田", "identity_number": spouse}
    relations.add_relation(actor=lin, customer_id=customer.pk, kind="spouse", other=person, remark="麦子地")
    consents.record_consent(
        actor=lin, customer_id=customer.pk, scope="tax", given_by_name="李守田", given_on=cast.OPENING,
        expires_on=LONG_AFTER,
    )  # fmt: skip
    file = attach(actor=lin, subject=customer, kind="identity", title="张桂芳身份证", upload=PDF)
    customers.update_customer(actor=lin, customer_id=customer.pk, phone="13911112222", name="张桂芳")
    loan = make_loan(cast, 1, customer=customer)
    Drawdown.objects.update(payee_name="李守田", payee_account="6222020200099998888")
    PaymentInstruction.objects.create(
        reference="R", kind="payout", amount=Decimal(1), account="6222020200099998888", account_name="张桂芳",
        customer_id=customer.pk, subject_type="drawdown", subject_id="1",
    )  # fmt: skip
    case = {"office": loan.office, "customer": customer, "owner": loan.owner, "opened_on": date(2026, 3, 2)}
    WarningCase.objects.create(**case, number="W1", level="red", state="closed", outcome="resolved", findings="老张说")
    over(loan)
    open_on(LONG_AFTER)
    asked(actor, customer)
    secrets = (*SECRETS, number, spouse)
    before = everything_stored()
    assert [secret for secret in secrets if secret not in before] == []
    record = everything_stored({"event"})
    assert [secret for secret in secrets if secret in record] == []

    erase(actor, customer)
    for message in OutboxMessage.objects.filter(topic="files.erased"):
        assert deliver(message.pk)

    after = everything_stored()
    assert [secret for secret in secrets if secret in after] == []
    assert Customer.objects.get(pk=customer.pk).identity_digest == ""
    kept = Loan.objects.get(pk=loan.pk)
    assert (kept.principal, kept.customer_id, str(kept.customer)) == (loan.principal, customer.pk, f"#{customer.pk}")
    gone = Attachment.objects.get(pk=file.pk)
    assert (gone.title, gone.erased_on, gone.kind) == ("", LONG_AFTER, "identity")
    assert not path_of(gone.storage_name).exists()
    with pytest.raises(WrongState):
        open_attachment(actor=lin, attachment_id=file.pk)
    assert Consent.objects.get().withdrawn_on == LONG_AFTER


def test_two_erased_households_stand_side_by_side_and_the_person_may_come_back(cast, actor):
    facts = {"kind": "farm_household", "name": "张桂芳", "uscc": None}
    for number in (1, 2):
        customer = make_customer(actor("lin"), number, **facts)
        asked(actor, customer)
        erase(actor, customer)

    back = make_customer(actor("lin"), 1, **facts)

    assert back.erased_on is None
    assert Customer.objects.exclude(erased_on=None).count() == 2


def test_a_company_keeps_its_name_and_nothing_leads_to_it(cast, actor):
    customer = make_customer(actor("lin"))
    asked(actor, customer)
    erase(actor, customer)

    row = Customer.objects.get()
    assert row.name == "梅林五金制品有限公司1"
    assert (row.uscc, row.name_key, row.name_bigrams, row.contact_name, row.phone_digest) == (None, "", [], "", "")
    assert make_customer(actor("lin")).pk != customer.pk


def test_somebody_on_two_files_stays_on_the_other(cast, actor):
    lin = actor("lin")
    one, two = make_customer(lin, 1), make_customer(lin, 2)
    person: Any = {"party_kind": "person", "name": "王大海", "identity_number": resident_id_of(77)}
    for customer in (one, two):
        relations.add_relation(actor=lin, customer_id=customer.pk, kind="shareholder", other=person, share=Decimal(20))
    asked(actor, one)
    erase(actor, one)
    assert Party.objects.filter(name="王大海").exists()

    asked(actor, two)
    erase(actor, two)
    assert not Party.objects.filter(name="王大海").exists()


def test_many_customers_take_as_many_queries_as_one(cast, actor):
    loans = [make_loan(cast, serial) for serial in range(1, 5)]
    ids = [loan.customer_id for loan in loans]
    with CaptureQueriesContext(connection) as one:
        standings_of_customers(ids[:1])
    with CaptureQueriesContext(connection) as four:
        assert len(standings_of_customers(ids)) == 4
    assert len(one) == len(four) <= 20
    assert json.dumps([o.as_json() for o in standings_of_customers(ids)[ids[0]].obstacles])


def test_merged_files_are_kept_and_erased_as_one(cast, actor):
    lin, zhou = actor("lin"), actor("zhou")
    kept, other = make_customer(lin, 1), make_customer(lin, 2)
    loan = make_loan(cast, 1, customer=other)
    Customer.objects.filter(pk=kept.pk).update(uscc=None)
    merges.merge_customers(actor=zhou, customer_id=kept.pk, other_id=other.pk, reason="同一家")
    assert {"open_loan"} <= codes(kept)
    over(loan)
    assert codes(kept) == {"law_period"}
    open_on(LONG_AFTER)
    asked(actor, kept)

    erase(actor, kept)

    rows = Customer.objects.order_by("pk")
    assert [(row.erased_on, row.contact_name, row.phone) for row in rows] == [(LONG_AFTER, "", "")] * 2
    with pytest.raises(WrongState):
        merges.undo_merge(actor=zhou, customer_id=other.pk, reason="弄错了")
