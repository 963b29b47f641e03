"""A lead from the first word to a customer, and every refusal on the way."""

from datetime import date
from decimal import Decimal

import pytest

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, StaleVersion, WrongState
from branch.models import Event, OutboxMessage, RoleAssignment, User
from branch.queries.visibility import visible
from customers.models import Customer, Lead
from customers.queries.leads import leads_to_call
from customers.services import leads
from tests.cast import PEOPLE
from tests.customers.making import (
    event_names,
    make_customer,
    make_lead,
    profile,
    qualified_lead,
    state_of_world,
    uscc_of,
)


@pytest.fixture
def colleague(cast):
    """A second account manager of the same branch."""
    user = User.objects.create_user("ma", password="demo", display_name="马", office=cast.offices.HW)
    RoleAssignment.objects.create(
        user=user, role="account_manager", office=cast.offices.CD, start_date=date(2020, 1, 1)
    )
    return user


def test_a_lead_belongs_to_who_captures_it_at_their_own_office(cast, actor):
    lead = make_lead(actor("lin"), wanted_amount=Decimal("300000.00"))

    assert (lead.state, lead.owner, lead.office) == ("new", cast.lin, cast.offices.HW)
    assert lead.phone == "13800138000"
    assert event_names(lead) == ["lead.capture"]


def test_what_the_record_keeps_of_a_lead_shows_no_person(cast, actor):
    lead = make_lead(actor("lin"))

    after = Event.objects.get(subject_type="lead", subject_id=str(lead.pk)).after
    assert "13800138000" not in str(after)
    assert "林美玉" not in str(after)


def test_a_lead_becomes_a_customer_with_what_was_known(cast, actor):
    lin = actor("lin")
    lead = qualified_lead(lin)

    values = profile()
    del values["name"], values["contact_name"], values["phone"]
    lead = leads.convert_lead(actor=lin, lead_id=lead.pk, **values)

    assert lead.state == "converted"
    assert lead.customer is not None
    assert lead.customer.name == "梅林五金"
    assert lead.customer.phone == "13800138000"
    assert lead.customer.owner == cast.lin
    assert lead.customer.uscc == uscc_of(1)
    assert event_names(lead) == ["lead.capture", "lead.contact", "lead.qualify", "lead.convert"]
    assert event_names(lead.customer) == ["customer.create"]
    message = OutboxMessage.objects.get(topic="lead.converted")
    assert message.payload == {"lead_id": lead.pk, "customer_id": lead.customer_id}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"uscc": uscc_of(1)[:-1] + ("0" if uscc_of(1)[-1] != "0" else "1")}, "uscc"),
        ({"uscc": ""}, "uscc"),
        ({"uscc": "91330212"}, "uscc"),
        ({"identity_number": "330212198001010019"}, "identity_number"),
        ({"kind": "club"}, "kind"),
        ({"name": " "}, "name"),
        ({"phone": "call me"}, "phone"),
        ({"repayment_account": "12"}, "repayment_account"),
        ({"annual_sales": Decimal("-1")}, "annual_sales"),
        ({"established_date": date(2030, 1, 1)}, "established_date"),
        ({"kind": "farm_household", "uscc": None, "identity_number": ""}, "identity_number"),
    ],
)
def test_a_wrong_fact_is_named_and_nothing_is_kept(cast, actor, changes, field):
    lin = actor("lin")
    lead = qualified_lead(lin)
    before = state_of_world()

    with pytest.raises(InvalidInput) as refused:
        leads.convert_lead(actor=lin, lead_id=lead.pk, **profile(**changes))

    assert list(refused.value.fields) == [field]
    assert state_of_world() == before


def test_a_code_on_somebody_elses_file_is_refused_without_saying_whose(cast, actor):
    make_customer(actor("outsider"), name="江北秘密商行")
    lin = actor("lin")
    lead = qualified_lead(lin)
    before = state_of_world()

    with pytest.raises(InvalidInput) as refused:
        leads.convert_lead(actor=lin, lead_id=lead.pk, **profile())

    assert list(refused.value.fields) == ["uscc"]
    assert "江北秘密" not in str(refused.value)
    assert state_of_world() == before


def test_a_code_on_an_own_file_says_which(cast, actor):
    lin = actor("lin")
    make_customer(lin, name="老客户商行")
    lead = qualified_lead(lin)

    with pytest.raises(InvalidInput, match="老客户商行"):
        leads.convert_lead(actor=lin, lead_id=lead.pk, **profile())


def test_a_lead_may_be_linked_to_a_customer_on_file(cast, actor):
    lin = actor("lin")
    customer = make_customer(lin)
    lead = qualified_lead(lin)

    lead = leads.convert_lead(actor=lin, lead_id=lead.pk, customer_id=customer.pk)

    assert (lead.state, lead.customer) == ("converted", customer)
    assert Customer.objects.count() == 1


def test_a_lead_cannot_be_linked_to_a_customer_out_of_sight(cast, actor):
    hidden = make_customer(actor("outsider"))
    lin = actor("lin")
    lead = qualified_lead(lin)
    before = state_of_world()

    with pytest.raises(InvalidInput):
        leads.convert_lead(actor=lin, lead_id=lead.pk, customer_id=hidden.pk)

    assert state_of_world() == before


def test_steps_come_in_their_order(cast, actor):
    lin = actor("lin")
    lead = make_lead(lin)
    before = state_of_world()

    with pytest.raises(WrongState):
        leads.qualify_lead(actor=lin, lead_id=lead.pk)
    with pytest.raises(WrongState):
        leads.convert_lead(actor=lin, lead_id=lead.pk, **profile())
    with pytest.raises(WrongState):
        leads.reopen_lead(actor=lin, lead_id=lead.pk)

    assert state_of_world() == before


def test_a_lost_lead_has_a_reason_and_can_come_back(cast, actor):
    lin = actor("lin")
    lead = make_lead(lin)
    before = state_of_world()
    with pytest.raises(InvalidInput):
        leads.lose_lead(actor=lin, lead_id=lead.pk, reason=" ")
    assert state_of_world() == before

    lead = leads.lose_lead(actor=lin, lead_id=lead.pk, reason="借了别家")
    assert (lead.state, lead.lost_reason) == ("lost", "借了别家")
    lead = leads.reopen_lead(actor=lin, lead_id=lead.pk, next_action_date=date(2026, 3, 9))
    assert (lead.state, lead.lost_reason) == ("contacted", "")


def test_only_the_owner_works_a_lead(cast, actor, colleague):
    lead = make_lead(actor("lin"))
    before = state_of_world()

    for name in ("ma", "outsider", "zhao", "sun", "qian", "wu", "he"):
        with pytest.raises(NotFound):
            leads.contact_lead(actor=actor(name), lead_id=lead.pk)
    for name in ("zhou", "feng"):
        with pytest.raises(PermissionRefused):
            leads.contact_lead(actor=actor(name), lead_id=lead.pk)

    assert state_of_world() == before


def test_who_sees_a_lead(cast, actor, colleague):
    lead = make_lead(actor("lin"))
    seen_by = {name for name in (*PEOPLE, "ma") if lead in visible(Lead, actor(name))}

    assert seen_by == {"lin", "zhou", "feng"}


def test_people_without_the_role_capture_nothing(cast, actor):
    before = state_of_world()
    for name in ("zhao", "zhou", "feng"):
        with pytest.raises(PermissionRefused):
            make_lead(actor(name))
    assert state_of_world() == before


def test_a_stale_change_is_refused(cast, actor):
    lin = actor("lin")
    lead = make_lead(lin)
    leads.update_lead(actor=lin, lead_id=lead.pk, expected_version=1, note="周三再去")
    before = state_of_world()

    with pytest.raises(StaleVersion):
        leads.update_lead(actor=lin, lead_id=lead.pk, expected_version=1, note="周四再去")

    assert state_of_world() == before


def test_the_branch_manager_hands_a_lead_to_another_account_manager(cast, actor, colleague):
    lead = make_lead(actor("lin"))

    leads.reassign_lead(actor=actor("zhou"), lead_id=lead.pk, owner_id=colleague.pk, reason="休假")

    assert lead not in visible(Lead, actor("lin"))
    assert lead in visible(Lead, actor("ma"))
    assert OutboxMessage.objects.get(topic="lead.reassigned").payload["owner_id"] == colleague.pk


def test_a_lead_goes_to_account_managers_of_its_office_only(cast, actor, colleague):
    lead = make_lead(actor("lin"))
    before = state_of_world()

    for user in (cast.outsider, cast.sun):
        with pytest.raises(InvalidInput):
            leads.reassign_lead(actor=actor("zhou"), lead_id=lead.pk, owner_id=user.pk)
    with pytest.raises(PermissionRefused):
        leads.reassign_lead(actor=actor("lin"), lead_id=lead.pk, owner_id=colleague.pk)

    assert state_of_world() == before


def test_leads_to_call_are_the_own_ones_that_are_due(cast, actor):
    lin = actor("lin")
    due = make_lead(lin, next_action_date=date(2026, 3, 1))
    unnamed = make_lead(lin, name="梅林五金2")
    make_lead(lin, name="梅林五金3", next_action_date=date(2026, 3, 10))
    lost = make_lead(lin, name="梅林五金4")
    leads.lose_lead(actor=lin, lead_id=lost.pk, reason="不借了")

    assert list(leads_to_call(lin, date(2026, 3, 2))) == [due, unnamed]
    assert not leads_to_call(actor("zhou"), date(2026, 3, 2)).exists()
