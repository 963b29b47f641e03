"""What makes a role hold: its dates, its person, its token; and that roles only add to one another."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from knox.models import AuthToken

from branch.domain.actor import system_actor
from branch.models import ParameterValue, RoleAssignment, User
from branch.services.attachments import attach
from customers.models import Customer, Lead
from loans.models import Investigation
from tests.access.calls import Answer, Caller, traces
from tests.access.table import AM, AP, AU, BM, CO, DO, PO, RR, WHY
from tests.access.world import MARK, TODAY, World
from tests.life import FACTS, PDF

DAY = timedelta(days=1)


def by_token(user: User, method: str, path: str, *, expiry: timedelta | None = None) -> Answer:
    _token, secret = (
        AuthToken.objects.create(user=user, expiry=expiry) if expiry else AuthToken.objects.create(user=user)
    )
    response = Client(raise_request_exception=False).generic(method, path, headers={"Authorization": f"Token {secret}"})
    return Answer(response.status_code, response.content.decode())


@pytest.mark.parametrize(
    ("start", "end", "holds"),
    [
        (date(2020, 1, 1), None, True),
        (TODAY, TODAY, True),  # first and last day are both included
        (TODAY + DAY, None, False),
        (date(2020, 1, 1), TODAY - DAY, False),
        (TODAY, TODAY - DAY, False),  # taken back on the day it was given
    ],
)
def test_a_role_holds_between_its_dates(
    world: World, caller: Caller, start: date, end: date | None, holds: bool
) -> None:
    lead = world.thing("leads")
    manager = world.person("manager", BM, "CD", start_date=start, end_date=end)
    for path in (f"/leads/{lead.pk}/", f"/api/v1/leads/{lead.pk}/", f"/api/v1/leads/{lead.pk}/events/"):
        answer = caller(manager, "GET", path)
        assert answer.status == (200 if holds else 403)
        assert holds or not answer.leaks


def test_a_role_that_ended_stops_at_once(world: World, caller: Caller) -> None:
    """Also for whoever is signed in already, and for what they own."""
    lead = world.thing("leads")
    assert caller(world.owner, "GET", f"/leads/{lead.pk}/").status == 200
    RoleAssignment.objects.filter(user=world.owner).update(end_date=TODAY - DAY)
    before = traces(lead)
    assert caller(world.owner, "GET", f"/leads/{lead.pk}/").status == 403
    assert caller(world.owner, "POST", f"/api/v1/leads/{lead.pk}/contact/").status == 403
    assert traces(lead) == before


@pytest.mark.parametrize("plural", ["leads", "customers", "applications", "loans", "inspections"])
def test_owning_a_thing_is_not_enough(world: World, caller: Caller, plural: str) -> None:
    """Who moved to another branch no longer sees what they own at the old one, nor can pick it in a form."""
    thing = world.thing(plural)
    RoleAssignment.objects.filter(user=world.owner).update(office=world.offices["JB"])
    answers = [caller(world.owner, "GET", f"{at}/{plural}/{thing.pk}/") for at in ("", "/api/v1")]
    answers += [caller(world.owner, "GET", f"/{plural}/"), caller(world.owner, "GET", f"/{plural}/export.csv")]
    assert [answer.status for answer in answers] == [404, 404, 200, 200]
    assert not any(answer.leaks for answer in answers)


def test_forms_offer_only_what_is_seen(world: World, caller: Caller) -> None:
    """The choices of a form are rows too."""
    customer = world.thing("customers")
    RoleAssignment.objects.filter(user=world.owner).update(office=world.offices["JB"])
    form = caller(world.owner, "GET", "/applications/create/")
    assert form.status == 200
    assert not form.leaks
    sent = caller(world.owner, "POST", "/api/v1/applications/", {"customer_id": customer.pk})
    assert sent.status == 400
    assert not sent.leaks
    lead = world.thing("leads", "qualified")
    Lead.objects.filter(pk=lead.pk).update(office=world.offices["JB"], name="迁来的线索", contact_name="王")
    form = caller(world.owner, "GET", f"/leads/{lead.pk}/link/")
    assert form.status == 200
    assert not form.leaks


def test_a_document_offered_is_one_that_is_seen(world: World, caller: Caller) -> None:
    """Who releases money ticks a condition off against the file's documents, but not what an investigator kept."""
    condition = world.thing("conditions", "open")
    investigation = Investigation.objects.create(
        **world.of(condition.application), state="closed", **FACTS, second=world.drafter
    )
    hidden = attach(actor=system_actor(), subject=investigation, kind="document", title="family.pdf", upload=PDF)
    officer = world.person("releaser", DO)
    at = f"conditions/{condition.pk}/meet/"
    form = caller(officer, "GET", f"/{at}")
    assert form.status == 200
    assert MARK in form.text
    assert "family" not in form.text
    before = traces(condition)
    assert caller(officer, "POST", f"/api/v1/{at}", {"document_id": hidden.pk}).status == 400
    assert traces(condition) == before


def test_roles_add_to_one_another(world: World, caller: Caller) -> None:
    """A post-loan officer here who releases money there sees the union, and acts in each place in its own role."""
    person = world.person("both", PO, "HW")
    world.give(person, DO, "CD")
    case, drawdown = world.thing("warning-cases"), world.thing("drawdowns", "requested")
    here = world.thing("applications", "approved")
    for at in (f"/warning-cases/{case.pk}/", f"/drawdowns/{drawdown.pk}/", f"/applications/{here.pk}/"):
        assert caller(person, "GET", at).status == 200
        assert caller(person, "GET", f"/api/v1{at}").status == 200
    assert caller.undone(person, "POST", f"/api/v1/drawdowns/{drawdown.pk}/check/").status == 200
    undecided = world.thing("applications", "in_review")
    assert caller(person, "GET", f"/api/v1/applications/{undecided.pk}/").status == 404


def test_a_role_elsewhere_does_not_lend_its_reach(world: World, caller: Caller) -> None:
    """Branch manager at one branch and approver at another: neither role works at the other's office."""
    person = world.person("split", BM, "JB")
    world.give(person, AP, "HW")
    lead, condition = world.thing("leads"), world.thing("conditions", "open")
    before = traces(lead)
    assert caller(person, "GET", f"/leads/{lead.pk}/").status == 404
    assert caller(person, "POST", f"/api/v1/leads/{lead.pk}/lose/", WHY).status == 404
    assert traces(lead) == before
    assert caller.undone(person, "POST", f"/api/v1/conditions/{condition.pk}/waive/", WHY).status == 200


def test_a_role_without_a_reach_upwards(world: World, caller: Caller) -> None:
    """The head of the sub-branch sees neither the branch above nor its other sub-branches."""
    manager = world.person("head", BM, "HW")
    for code in ("CD", "NS", "JB"):
        other = world.customer(office=world.offices[code])
        for at in (
            f"/customers/{other.pk}/",
            f"/api/v1/customers/{other.pk}/",
            f"/api/v1/customers/{other.pk}/events/",
        ):
            answer = caller(manager, "GET", at)
            assert answer.denies
            assert not answer.leaks
    assert Customer.objects.count() == 3
    assert MARK not in caller(manager, "GET", "/api/v1/customers/").text


def test_an_inactive_person_is_a_visitor(world: World, caller: Caller) -> None:
    """From the moment they are deactivated, in an open session and by token."""
    lead = world.thing("leads")
    assert caller(world.owner, "GET", f"/leads/{lead.pk}/").status == 200
    User.objects.filter(pk=world.owner.pk).update(is_active=False)
    assert caller(world.owner, "GET", f"/leads/{lead.pk}/").status == 302
    assert caller(world.owner, "GET", f"/api/v1/leads/{lead.pk}/").status == 401
    assert by_token(world.owner, "GET", f"/api/v1/leads/{lead.pk}/").status == 401


def test_tokens_end(world: World, caller: Caller) -> None:
    lead = world.thing("leads")
    at = f"/api/v1/leads/{lead.pk}/"
    assert by_token(world.owner, "GET", at).status == 200
    assert by_token(world.owner, "GET", at, expiry=-DAY).status == 401
    before = traces(lead)
    assert by_token(world.owner, "POST", f"{at}contact/", expiry=-DAY).status == 401
    assert traces(lead) == before
    AuthToken.objects.all().delete()
    refused = Client().get(at, headers={"Authorization": "Token 0123456789abcdef"})
    assert refused.status_code == 401
    assert refused["Content-Type"] == "application/problem+json"
    assert MARK not in refused.content.decode()


@pytest.mark.parametrize("role", [AU, CO])
def test_a_role_that_asks_for_a_second_factor(world: World, caller: Caller, role: str) -> None:
    """Without one its holder gets no further than setting it up."""
    ParameterValue.objects.create(code="mfa.required_roles", value=[AU], effective_date=TODAY)
    customer = world.thing("customers")
    person = world.person("reader", role, "HO")
    page, api = (caller(person, "GET", f"{at}/customers/{customer.pk}/") for at in ("", "/api/v1"))
    token = by_token(person, "GET", f"/api/v1/customers/{customer.pk}/")
    assert (page.status, api.status, token.status) == ((302, 403, 403) if role == AU else (200, 200, 200))
    assert role == CO or not (page.leaks or api.leaks or token.leaks)


def test_an_approver_sees_the_own_authority(world: World, caller: Caller) -> None:
    """And nobody else's."""
    mine = world.person("decider", AP, "HW")
    own, other = world.authority(mine), world.authority()
    assert caller(mine, "GET", f"/api/v1/authorities/{own.pk}/").status == 200
    assert caller(mine, "GET", f"/authorities/{own.pk}/").status == 200
    assert caller(mine, "GET", f"/api/v1/authorities/{other.pk}/").status == 404
    listed = caller(mine, "GET", "/api/v1/authorities/").text
    assert f'"id":{own.pk},' in listed
    assert f'"id":{other.pk},' not in listed


def test_someone_elses_stage_or_case(world: World, caller: Caller) -> None:
    """The right role is not enough where somebody else holds it."""
    stage = world.thing("review-stages", "claimed")
    case = world.thing("warning-cases", "verifying")
    type(stage).objects.filter(pk=stage.pk).update(claimed_by=world.drafter)
    before = traces(stage, case)
    reviewer, officer = world.person("other-reviewer", RR), world.person("other-officer", PO)
    opinion = {"outcome": "approved", "reason": "好"}
    assert caller(reviewer, "POST", f"/api/v1/review-stages/{stage.pk}/opinion/", opinion).status == 403
    assert caller(reviewer, "POST", f"/api/v1/review-stages/{stage.pk}/release-claim/").status == 403
    for name, body in (("findings", {"findings": "x"}), ("resolve", WHY), ("dismiss", WHY)):
        assert caller(officer, "POST", f"/api/v1/warning-cases/{case.pk}/{name}/", body).status == 403
    assert traces(stage, case) == before


def test_nobody_signs_twice(world: World, caller: Caller) -> None:
    """Over a file's life a person has one duty, whatever roles they hold: an owner can't be second investigator."""
    investigation = world.thing("investigations", "signed_by_owner")
    world.give(world.owner, CO, "HW")
    world.give(world.owner, AM, "CD")
    before = traces(investigation)
    answer = caller(world.owner, "POST", f"/api/v1/investigations/{investigation.pk}/sign-second/")
    assert answer.status == 403
    assert '"type":"/problems/separation-of-duties"' in answer.text
    assert traces(investigation) == before


def test_search_and_my_day_know_the_same_bounds(world: World, caller: Caller) -> None:
    """Neither names what a person does not see; both find what they do."""
    customer, lead, file = world.thing("customers"), world.thing("leads"), world.thing("applications")
    stranger = world.person("stranger", AM, "JB")
    for text in (MARK, customer.name, customer.uscc, file.number, lead.name):
        # What was typed stands on the page again, also in the addresses of its links; nothing else may.
        page = caller(stranger, "GET", f"/search/?q={quote(text)}").text
        assert MARK not in page.replace(text, "").replace(quote(text), "")
    for path in ("/", "/dashboard/", "/notifications/"):
        assert not caller(stranger, "GET", path).leaks
    assert customer.name in caller(world.owner, "GET", f"/search/?q={MARK}").text
