"""What somebody tries who knows the addresses: guessed numbers, filters, odd methods, kept answers, others' keys."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django_filters import ModelChoiceFilter

from branch.models import Notification, RoleAssignment, User
from branch.queries.actors import actor_for
from branch.services.notifications import notify
from branch.web.noun import NOUNS
from customers.models import Customer, Lead
from desk.context import Shell
from desk.queries.dashboard import ROWS
from postloan.models import WarningCase
from tests.access.calls import JSON, Answer, Caller, traces
from tests.access.reach import EVERYBODY, acts_on, sees
from tests.access.routes import views
from tests.access.table import AD, AM, AU, BANK, BM, CO, DO, IC, LA, LOOKED_AT, OF_THE_BANK, PO, PY, READ, SELF, WHY
from tests.access.test_nouns import agree, lists, pages
from tests.access.world import MARK, World

#: A number that nothing has.
NOTHING = 999_999_999
#: Nouns of which a role that reads some does not see all.
HIDDEN_FROM_READERS = [
    plural for plural, who in READ.items() if plural not in OF_THE_BANK and not set(who.values()) <= {BANK, SELF}
]
#: Every filter of the API by another record: (noun, parameter).
FILTERS = sorted(
    (route.split("/")[2], name)
    for route, view in views().items()
    if hasattr(view, "cls") and hasattr(view.cls, "noun") and re.fullmatch("api/v1/[a-z-]+/", route)
    for name, one in view.cls.noun.filterset.base_filters.items()
    if isinstance(one, ModelChoiceFilter) and route.split("/")[2] not in OF_THE_BANK
)


def ask(client: Client, method: str, path: str, body: str = "", **headers: str) -> Answer:
    response = client.generic(method, path, body, content_type=JSON, headers=headers)
    return Answer(response.status_code, "" if response.streaming else response.content.decode())


@pytest.fixture
def stranger(world: World) -> User:
    """Who reads nearly everything, at another branch."""
    person = world.person("stranger", BM, "JB")
    for role in (AM, CO, DO, LA, PO, AD, AU):
        world.give(person, role, "JB")
    return person


# --- lists


@pytest.mark.parametrize(("plural", "name"), FILTERS)
def test_a_filter_does_not_tell_what_exists(
    world: World, caller: Caller, stranger: User, plural: str, name: str
) -> None:
    """By the number of a thing out of sight and of no thing at all, a list is the same: empty."""
    noun = next(noun for noun in NOUNS.values() if noun.plural == plural)
    if not actor_for(stranger).roles & noun.readers:
        world.give(stranger, PY, "JB")
    hidden = getattr(world.thing(plural), noun.filterset.base_filters[name].field_name.split("__")[0])
    if hidden is None:
        hidden = world.owner
    for at in (f"/api/v1/{plural}/?{name}=%s", f"/{plural}/export.csv?{name}=%s"):
        there, nowhere = (caller(stranger, "GET", at % number) for number in (hidden.pk, NOTHING))
        assert (there.status, there.text) == (200, nowhere.text.replace(str(NOTHING), str(hidden.pk)))
        assert not there.leaks
    assert caller(stranger, "GET", f"/api/v1/{plural}/?{name}=abc").status == 400


def test_filters_orders_and_searches_stay_within_bounds(world: World, caller: Caller, stranger: User) -> None:
    """Whatever is asked of a list or its export, it is of the rows the person sees."""
    customer, loan = world.thing("customers"), world.thing("loans")
    office = customer.office_id
    for query in (
        f"q={quote(customer.name)}", f"q={customer.uscc}", "q=" + quote(loan.number), f"customer={customer.pk}",
        f"owner={world.owner.pk}", f"office={office}", f"within={office}", "ordering=id", "ordering=-created_at",
        "ordering=owner__password", "sort=owner__password", "expand=customer", "fields=identity_number",
        f"customer__owner__username={world.owner.username}", "page_size=100000",
    ):  # fmt: skip
        for plural in ("customers", "loans", "journal-entries"):
            world.thing(plural)
            for path in (lists(plural)[0], lists(plural)[2]):
                answer = caller(stranger, "GET", path.partition("?")[0] + f"?{query}")
                assert answer.status in (200, 400), (path, query)
                assert MARK not in answer.text.replace(quote(customer.name), "").replace(customer.name, "").replace(
                    loan.number, ""
                ), (path, query)


def test_a_trial_balance_of_another_branch(world: World, caller: Caller) -> None:
    """Asked for by number, the page shows no other office's books."""
    world.thing("journal-entries")
    accountant = world.person("accountant", LA, "JB")
    shown = [
        caller(accountant, "GET", f"/account-balances/?within={number}") for number in (world.offices["HW"].pk, NOTHING)
    ]
    assert all(answer.status == 200 and "300,000.00" not in answer.text for answer in shown)
    own = caller(world.person("own", LA, "HW"), "GET", f"/account-balances/?within={world.offices['HW'].pk}")
    assert "300,000.00" in own.text


@pytest.mark.parametrize("code", ROWS)
def test_the_rows_behind_a_figure(world: World, caller: Caller, stranger: User, code: str) -> None:
    """The dashboard counts and shows the rows its reader sees."""
    for plural in ("leads", "applications", "contracts", "loans", "warning-cases", "collection-cases", "inspections"):
        world.thing(plural)
    answer = caller(stranger, "GET", f"/dashboard/{code}/?since=year")
    assert answer.status == 200
    assert not answer.leaks


def test_numbers_in_the_frame(world: World, stranger: User) -> None:
    """The counts beside the places are of open work the person sees; a stranger's are all nothing."""
    for plural in READ:
        world.thing(plural)
    notify(world.owner.pk, "warning_case.assigned", "/warning-cases/", number=MARK)
    Notification.objects.filter(user=stranger).delete()

    class Request:
        path = "/"
        user = stranger

    of_the_bank = {noun.name for noun in NOUNS.values() if not noun.has_office} | {
        "product_version",
        "threshold_set",
        "prescreen_model",
    }
    counts = {name: n for name, n in Shell(Request())._counts.items() if name not in of_the_bank}  # type: ignore[arg-type]
    assert set(counts.values()) <= {0}


# --- addresses


@pytest.mark.parametrize("plural", READ)
def test_other_methods(world: World, caller: Caller, plural: str) -> None:
    """HEAD, OPTIONS, PUT and DELETE tell and do no more than the methods that are meant."""
    state = LOOKED_AT.get(plural, ("",))[0]
    thing = world.thing(plural, state)
    blind = [grant for grant in EVERYBODY if grant[1] != "owner" and not sees(grant, plural, state)]
    before = traces(thing)
    wrong: list[str] = []
    for reads in (True, False):  # those who read such things elsewhere, and those who read none
        if people := [grant for grant in blind if reads == (grant[0] in READ[plural])]:
            wrong += _by_other_methods(caller.client(world.holding(*people)), plural, thing)
    agree(wrong)
    assert traces(thing) == before
    assert type(thing).objects.filter(pk=thing.pk).exists()


def _by_other_methods(client: Client, plural: str, thing: Any) -> list[str]:
    wrong = []
    for path in (*pages(plural, thing)[:2], lists(plural)[0]):
        for method in ("HEAD", "OPTIONS", "PUT", "DELETE"):
            answer = ask(client, method, path)
            told = answer.status == 200 and method != "OPTIONS" and path in pages(plural, thing)
            if answer.leaks or told or answer.status not in (200, 403, 404, 405):
                wrong.append(f"{method} {path}: {answer.status}{' leaks' * answer.leaks}")
    return wrong


@pytest.mark.parametrize("plural", HIDDEN_FROM_READERS)
def test_out_of_sight_is_as_not_there(world: World, caller: Caller, plural: str) -> None:
    """Whoever reads such things elsewhere gets the same answer for a hidden thing as for a number of nothing."""
    roles = [role for role, scope in READ[plural].items() if scope not in (BANK, SELF)]
    person = world.holding(*((role, "other") for role in roles))
    for name, act in [("", None), *acts_on(plural)]:
        if act is not None and act.on == "list":
            continue
        thing = world.thing(plural, act.state if act else LOOKED_AT.get(plural, ("",))[0])
        body = world.filled(act.body, thing) if act else {}
        way = f"{name}/" if act and act.method != "PATCH" else ""
        hidden, nowhere = (
            caller(person, act.method if act else "GET", f"/api/v1/{plural}/{number}/{way}", body)
            for number in (thing.pk, NOTHING)
        )
        assert hidden == nowhere, (name, hidden, nowhere)
        assert hidden.status == 404


def test_a_version_known_or_guessed(world: World, caller: Caller, stranger: User) -> None:
    """If-Match says nothing to whoever does not see the thing: right, stale and odd tags are all not found."""
    lead, file = world.thing("leads"), world.thing("applications")
    before = traces(lead, file)
    client = caller.client(stranger)
    for thing, at in ((lead, f"/api/v1/leads/{lead.pk}/"), (file, f"/api/v1/applications/{file.pk}/")):
        for tag in (thing.etag, '"0"', "*", "nonsense"):
            assert ask(client, "PATCH", at, '{"note": "x"}', **{"if-match": tag}).status == 404
            assert ask(client, "GET", at, **{"if-none-match": tag}).status == 404
    assert ask(client, "POST", f"/api/v1/leads/{lead.pk}/lose/", "{}", **{"if-match": lead.etag}).status == 404
    assert traces(lead, file) == before


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "1.0", "１", "1%00", "..%2f1"])
def test_odd_numbers(world: World, caller: Caller, stranger: User, number: str) -> None:
    for plural in ("customers", "loans", "events", "notifications"):
        for at in (f"/{plural}/{number}/", f"/api/v1/{plural}/{number}/", f"/api/v1/{plural}/{number}/events/"):
            assert caller(stranger, "GET", at).status == 404
    assert caller(stranger, "GET", f"/attachments/{number}/").status == 404
    assert caller(stranger, "GET", f"/api/v1/attachments/?subject_type=customer&subject_id={number}").status == 404


@pytest.mark.parametrize("kind", ["user", "office", "event", "notification", "attachment", "lpr_rate", "", "Customer"])
def test_documents_of_what_carries_none(caller: Caller, stranger: User, kind: str) -> None:
    """Named by a kind that is no subject, whatever the number."""
    answer = caller(stranger, "GET", f"/api/v1/attachments/?subject_type={kind}&subject_id={stranger.pk}")
    assert answer.status == 404


def test_somebody_elses_notification(world: World, caller: Caller, stranger: User) -> None:
    mine = world.thing("notifications")
    before = traces(mine)
    for method, path in (
        ("GET", f"/notifications/{mine.pk}/open/"),
        ("GET", f"/notifications/{mine.pk}/"),
        ("POST", f"/notifications/{mine.pk}/mark-read/"),
        ("POST", f"/api/v1/notifications/{mine.pk}/mark-read/"),
    ):
        answer = caller(stranger, method, path)
        assert answer.status == 404
        assert not answer.leaks
    assert caller(stranger, "POST", "/api/v1/notifications/mark-all-read/").text == '{"marked":0}'
    assert traces(mine) == before


# --- kept answers


def keyed(client: Client, path: str, body: str, key: str = "guessed-key") -> Answer:
    return ask(client, "POST", path, body, **{"idempotency-key": key})


def test_somebody_elses_key(world: World, caller: Caller, stranger: User) -> None:
    """A key is its caller's: the answer another person got is not handed out for it."""
    customer = world.thing("customers")
    path, body = f"/api/v1/customers/{customer.pk}/reveal/", '{"field": "phone", "reason": "回访"}'
    given = keyed(caller.client(world.owner), path, body)
    assert given.status == 200
    assert "13800138000" in given.text
    asked = keyed(caller.client(stranger), path, body)
    assert asked.status == 404
    assert "138" not in asked.text
    assert keyed(Client(), path, body).status == 401


@pytest.mark.parametrize("loses", ["the role", "sight"])
def test_a_kept_answer_ends_with_the_right_to_it(world: World, caller: Caller, loses: str) -> None:
    """Sent again with its key after the role ended or the customer went elsewhere, nothing is told."""
    customer = world.thing("customers")
    path, body = f"/api/v1/customers/{customer.pk}/reveal/", '{"field": "phone", "reason": "回访"}'
    client = caller.client(world.owner)
    assert "13800138000" in keyed(client, path, body).text
    assert "13800138000" in keyed(client, path, body).text
    if loses == "the role":
        RoleAssignment.objects.filter(user=world.owner).update(role=CO, office=world.offices["JB"])
    else:
        Customer.objects.filter(pk=customer.pk).update(owner=world.colleagues["colleague"])
    again = keyed(client, path, body)
    assert again.status == 404
    assert "138" not in again.text


def test_a_kept_answer_of_a_new_thing(world: World, caller: Caller) -> None:
    client = caller.client(world.owner)
    body = '{"name": "新线索", "contact_name": "王", "source": "visit"}'
    assert keyed(client, "/api/v1/leads/", body).status == 201
    assert keyed(client, "/api/v1/leads/", body).status == 201
    RoleAssignment.objects.filter(user=world.owner).update(role=CO)
    assert keyed(client, "/api/v1/leads/", body).status == 403


# --- things named in a body


def test_naming_what_is_out_of_sight(world: World, caller: Caller) -> None:
    """A use case on an own thing that names somebody else's: refused, in the words used for what does not exist."""
    here = world.offices["JB"]
    everything = world.person("everything", BM, "JB")
    for role in (AM, PO, AD, PY):
        world.give(everything, role, "JB")
    lead = Lead.objects.create(office=here, owner=everything, state="qualified", name="本地", contact_name="李")
    mine = world.customer(office=here, owner=everything, name="本地商行", contact_name="李", address="")
    case = WarningCase.objects.create(
        office=here, owner=everything, customer=mine, state="verifying", number="W-JB", officer=everything,
        level="yellow", opened_on="2026-03-02", findings="用电下降",
    )  # fmt: skip
    hidden = {
        "customer": world.thing("customers").pk,
        "owner": world.colleagues["colleague"].pk,
        "officer": world.colleagues["officer"].pk,
        "facility": world.thing("facilities").pk,
        "loan": world.thing("loans").pk,
        "approver": world.colleagues["approver"].pk,
        "office": world.offices["HW"].pk,
    }
    calls: list[tuple[str, str, dict[str, Any]]] = [
        (f"leads/{lead.pk}/link/", "customer_id", {"customer_id": hidden["customer"]}),
        (f"leads/{lead.pk}/reassign/", "owner_id", {"owner_id": hidden["owner"], **WHY}),
        (f"customers/{mine.pk}/reassign/", "owner_id", {"owner_id": hidden["owner"], **WHY}),
        ("applications/", "customer_id", {"customer_id": hidden["customer"]}),
        (f"warning-cases/{case.pk}/reassign/", "officer_id", {"officer_id": hidden["officer"], **WHY}),
        (f"warning-cases/{case.pk}/freeze-line/", "facility_id", {"facility_id": hidden["facility"], **WHY}),
        ("collection-cases/", "loan_id", {"loan_id": hidden["loan"]}),
        ("repayments/", "loan_id", {"loan_id": hidden["loan"], "amount": "1.00", "reference": "R-JB"}),
        (
            "authorities/",
            "user_id",
            {
                "user_id": hidden["approver"],
                "office_id": here.pk,
                "limit_amount": "1.00",
                "effective_date": "2026-03-02",
                **WHY,
            },
        ),
        (
            f"people/{everything.pk}/assign-role/",
            "office_id",
            {"role": CO, "office_id": hidden["office"], "start_date": "2026-03-02", **WHY},
        ),
        ("people/", "office_id", {"username": "spy", "display_name": "新人", "office_id": hidden["office"]}),
        (f"people/{hidden['owner']}/deactivate/", "", dict(WHY)),
    ]
    world.give(everything, LA, "JB")
    before = traces(lead, mine, case)
    for path, name, body in calls:
        answer = caller(everything, "POST", f"/api/v1/{path}", body)
        nowhere = caller(everything, "POST", f"/api/v1/{path}", body | ({name: NOTHING} if name else {}))
        assert 400 <= answer.status < 500, path
        assert not answer.leaks, path
        assert (answer.status, answer.text) == (nowhere.status, nowhere.text), path
    assert traces(lead, mine, case) == before


def test_a_code_that_another_branch_has_on_file(world: World, caller: Caller, stranger: User) -> None:
    """That a code is taken must be said; by whom and where, not."""
    taken = world.thing("customers")
    profile = {"kind": "company", "name": "同名", "uscc": taken.uscc, "contact_name": "王"}
    for path in ("/api/v1/customers/", "/customers/create/"):
        answer = caller(stranger, "POST", path, profile)
        assert answer.status in (400, 422)
        assert not answer.leaks
    client = world.person("client", IC, "JB")
    figures = {"records": [{"metric": "electricity_kwh", "source": "grid", "period_month": "2026-01", "value": "1"}]}
    sent = [
        caller(client, "POST", "/api/v1/external-records/", figures | {"uscc": code})
        for code in (taken.uscc, "91330212MA0000000X")
    ]
    assert sent[0] == sent[1]
    assert sent[0].status == 404


def test_events_of_another_office(world: World, caller: Caller) -> None:
    """The trail a branch manager reads is of the own offices, also when asked for by subject."""
    event = world.thing("events")
    manager = world.person("elsewhere", BM, "NS")
    for query in (f"subject_type=lead&subject_id={event.subject_id}", f"actor={world.owner.pk}", "name=lead.contact"):
        answer = caller(manager, "GET", f"/api/v1/events/?{query}")
        assert f'"id":{event.pk},' not in answer.text
        assert not answer.leaks
