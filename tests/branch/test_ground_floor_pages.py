"""Offices, people, roles, parameters, the calendar, the trail and the bell: on pages and over the API."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils.translation import gettext_lazy
from knox.models import AuthToken

from branch.models import CalendarOverride, Event, Notification, Office, ParameterValue, RoleAssignment, User
from branch.queries.notifications import NOTICES
from branch.queries.parameters import parameter
from branch.services.notifications import notify
from tests.cast import OPENING

DAY = timedelta(days=1)
PASSWORD = "three-red-lanterns"


@pytest.fixture(autouse=True)
def no_second_factor(cast):
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))


@pytest.fixture
def visit(cast):
    """A browser of the person named, reading English."""

    def browser(username: str) -> Client:
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(getattr(cast, username), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return browser


@pytest.fixture
def api(cast):
    """An API client of the person named."""

    def client(username: str) -> Client:
        _token, secret = AuthToken.objects.create(user=getattr(cast, username))
        return Client(headers={"Authorization": f"Token {secret}", "Accept-Language": "en"})

    return client


def post(client: Client, url: str, **body):
    return client.post(url, body, content_type="application/json")


PLACES = {
    "offices": {"zhou", "feng"},
    "people": {"zhou", "feng"},
    "role-assignments": {"zhou", "feng"},
    "parameters": {"zhou", "feng"},
    "calendar": {"zhou", "feng"},
    "events": {"zhou", "feng"},
    "notifications": {"lin", "zhao", "sun", "qian", "wu", "he", "zhou", "feng", "outsider"},
}


@pytest.mark.parametrize("place", PLACES)
def test_each_list_opens_for_its_readers_alone(visit, api, place) -> None:
    for who in PLACES["notifications"]:
        allowed = who in PLACES[place]
        page, export = visit(who).get(f"/{place}/"), visit(who).get(f"/{place}/export.csv")
        answer = api(who).get(f"/api/v1/{place}/")
        assert {page.status_code, export.status_code, answer.status_code} == ({200} if allowed else {403}), who
    assert Client().get(f"/{place}/").status_code == 302
    assert Client().get(f"/api/v1/{place}/").status_code == 401


def test_an_office_is_opened_renamed_and_moved_on_pages(cast, visit) -> None:
    zhou = visit("zhou")
    assert zhou.get("/offices/create/").status_code == 200
    created = zhou.post(
        "/offices/create/", {"parent_id": cast.offices.CD.pk, "kind": "sub_branch", "code": "SQ", "name": "石桥支行"}
    )
    office = Office.objects.get(code="SQ")
    assert created["Location"] == f"/offices/{office.pk}/"
    zhou.post(f"/offices/{office.pk}/rename/", {"name": "石桥小微支行"})
    zhou.post(f"/offices/{office.pk}/move/", {"parent_id": cast.offices.JB.pk, "reason": "reorganised"})
    office.refresh_from_db()
    assert (office.name, office.path) == ("石桥小微支行", f"{cast.offices.JB.path}{office.pk}/")

    page = zhou.get(f"/offices/{office.pk}/").content.decode()
    assert "石桥小微支行" in page
    assert "reorganised" in page


def test_who_only_reads_finds_no_button_and_no_way(cast, visit, api) -> None:
    page = visit("feng").get(f"/people/{cast.lin.pk}/").content.decode()
    assert f"/people/{cast.lin.pk}/deactivate/" not in page
    assert f"/people/{cast.lin.pk}/deactivate/" in visit("zhou").get(f"/people/{cast.lin.pk}/").content.decode()
    before = list(User.objects.order_by("pk").values()), Event.objects.count()

    feng, outsider = api("feng"), api("outsider")
    for name, body in (
        ("deactivate", {"reason": "x"}),
        ("set-password", {"password": PASSWORD}),
        ("sign-out-everywhere", {}),
        ("assign-role", {"role": "approver", "office_id": cast.offices.CD.pk, "start_date": str(OPENING)}),
    ):
        assert post(feng, f"/api/v1/people/{cast.lin.pk}/{name}/", **body).status_code == 403
        assert post(outsider, f"/api/v1/people/{cast.lin.pk}/{name}/", **body).status_code in (403, 404)
    assert (list(User.objects.order_by("pk").values()), Event.objects.count()) == before


def test_a_person_comes_in_gets_a_role_and_loses_it_over_the_api(cast, api) -> None:
    zhou = api("zhou")
    created = post(
        zhou, "/api/v1/people/", username="ning", display_name="宁", office_id=cast.offices.CD.pk, password=PASSWORD
    )
    assert created.status_code == 201, created.content
    person = created.json()
    assert "password" not in person
    role = post(
        zhou,
        f"/api/v1/people/{person['id']}/assign-role/",
        role="risk_reviewer",
        office_id=cast.offices.CD.pk,
        start_date=str(OPENING),
        reason="new colleague",
    )
    assert role.status_code == 200, role.content
    held = zhou.get("/api/v1/role-assignments/", {"user": person["id"]}).json()["results"]
    assert [(row["role"], row["end_date"]) for row in held] == [("risk_reviewer", None)]

    ended = post(
        zhou, f"/api/v1/role-assignments/{held[0]['id']}/end/", end_date=str(OPENING - DAY), reason="other branch"
    )
    assert ended.json()["end_date"] == str(OPENING - DAY)
    events = zhou.get(f"/api/v1/people/{person['id']}/events/").json()["results"]
    assert [event["name"] for event in events] == ["role.end", "role.assign", "user.create"]
    assert PASSWORD not in str(events)


def test_a_weak_password_is_said_beside_its_field(cast, visit) -> None:
    page = visit("zhou").post(f"/people/{cast.lin.pk}/set-password/", {"password": "demo"})
    assert page.status_code == 400
    assert 'name="password"' in page.content.decode()
    assert "too short" in page.content.decode()


def test_nobody_lifts_themselves_over_the_api(cast, api) -> None:
    refused = post(
        api("zhou"),
        f"/api/v1/people/{cast.zhou.pk}/assign-role/",
        role="approver",
        office_id=cast.offices.CD.pk,
        start_date=str(OPENING),
    )
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/permission-denied")
    assert not RoleAssignment.objects.filter(user=cast.zhou, role="approver").exists()


def test_parameters_show_what_is_in_force_and_are_set(cast, visit, api) -> None:
    page = visit("zhou").get("/parameters/").content.decode()
    assert "offer.validity_days" in page
    assert "/parameters/create/?code=offer.validity_days" in page
    assert "/parameters/create/" not in visit("feng").get("/parameters/").content.decode()
    assert 'value="90"' in visit("zhou").get("/parameters/create/?code=offer.validity_days").content.decode()

    visit("zhou").post(
        "/parameters/create/",
        {"code": "offer.validity_days", "value": "60", "effective_date": str(OPENING), "reason": "policy"},
    )
    assert parameter("offer.validity_days") == 60
    rows = {row["code"]: row for row in api("feng").get("/api/v1/parameters/in-force/").json()}
    assert (rows["offer.validity_days"]["value"], rows["offer.validity_days"]["default"]) == ("60", "90")
    assert rows["offer.validity_days"]["set_by"] == "zhou"
    assert api("lin").get("/api/v1/parameters/in-force/").status_code == 403


@pytest.mark.parametrize(
    ("code", "value", "stored"),
    [
        ("mfa.required_roles", ["administrator", "auditor"], ["administrator", "auditor"]),
        ("mfa.required_roles", "administrator, auditor", ["administrator", "auditor"]),
        ("penalty.compounds", False, False),
        ("penalty.overdue_uplift", "0.4", "0.4"),
        ("offer.validity_days", 60, 60),
    ],
)
def test_the_api_takes_each_type_of_value(cast, api, code, value, stored) -> None:
    answer = post(
        api("zhou"), "/api/v1/parameters/", code=code, value=value, effective_date=str(OPENING), reason="policy"
    )
    assert answer.status_code == 201, answer.content
    assert answer.json()["value"] == stored
    assert ParameterValue.objects.latest("id").value == stored


def test_a_value_out_of_range_says_the_range(cast, api) -> None:
    answer = post(
        api("zhou"), "/api/v1/parameters/", code="offer.validity_days", value=0, effective_date=str(OPENING), reason="x"
    )
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"value": ["Choose a value from 1 to 365."]}


def test_the_calendar_is_changed(cast, visit, api) -> None:
    visit("zhou").post("/calendar/create/", {"date": str(OPENING + DAY), "reason": "flood"})
    changed = CalendarOverride.objects.get()
    assert changed.is_working_day is False
    answer = post(api("zhou"), "/api/v1/calendar/", date=str(OPENING + DAY), is_working=True, reason="flood is over")
    assert answer.json()["id"] == changed.pk
    assert visit("feng").get(f"/calendar/{changed.pk}/").status_code == 200


def test_the_trail_shows_what_was_changed_and_by_whom(cast, visit, api) -> None:
    post(api("zhou"), f"/api/v1/people/{cast.zhao.pk}/deactivate/", reason="long leave")
    event = Event.objects.get(name="user.deactivate")

    trail = visit("feng").get("/events/?q=zhou").content.decode()
    page = visit("feng").get(f"/events/{event.pk}/").content.decode()
    assert f"/events/{event.pk}/" in trail
    assert "long leave" in page
    assert "yes → no" in page.lower()
    assert visit("lin").get(f"/events/{event.pk}/").status_code == 403
    found = api("feng").get("/api/v1/events/", {"name": "user.deactivate"}).json()["results"]
    assert [row["id"] for row in found] == [event.pk]
    for method in ("post", "put", "patch", "delete"):
        assert getattr(api("zhou"), method)(f"/api/v1/events/{event.pk}/").status_code in (403, 405)
        assert getattr(api("zhou"), method)("/api/v1/events/").status_code in (403, 405)


@pytest.fixture
def told(cast, monkeypatch) -> Notification:
    monkeypatch.setitem(NOTICES, "file.returned", gettext_lazy("File %(number)s came back"))
    return notify(cast.lin.pk, "file.returned", "/customers/", number="XW-7")


def test_the_bell_leads_to_the_thing_and_counts_down(cast, told, visit) -> None:
    lin = visit("lin")
    page = lin.get("/notifications/").content.decode()
    assert "File XW-7 came back" in page
    assert f"/notifications/{told.pk}/open/" in page

    opened = lin.get(f"/notifications/{told.pk}/open/")
    assert opened["Location"] == "/customers/"
    told.refresh_from_db()
    assert told.read_at is not None


def test_a_notice_that_points_outside_leads_nowhere_else(cast, told, visit) -> None:
    Notification.objects.update(url="https://evil.example/")
    assert visit("lin").get(f"/notifications/{told.pk}/open/")["Location"] == "/notifications/"


def test_nobody_opens_anybody_elses_bell(cast, told, visit, api) -> None:
    assert visit("zhou").get(f"/notifications/{told.pk}/open/").status_code == 404
    assert visit("zhou").get(f"/notifications/{told.pk}/").status_code == 404
    assert api("zhou").get(f"/api/v1/notifications/{told.pk}/").status_code == 404
    assert post(api("zhou"), f"/api/v1/notifications/{told.pk}/mark-read/").status_code == 404
    assert "XW-7" not in visit("zhou").get("/notifications/").content.decode()
    told.refresh_from_db()
    assert told.read_at is None


def test_notices_are_read_over_the_api(cast, told, api) -> None:
    lin = api("lin")
    assert [row["text"] for row in lin.get("/api/v1/notifications/", {"unread": "true"}).json()["results"]] == [
        "File XW-7 came back"
    ]
    assert post(lin, f"/api/v1/notifications/{told.pk}/mark-read/").status_code == 200
    assert lin.get("/api/v1/notifications/", {"unread": "true"}).json()["results"] == []
    notify(cast.lin.pk, "file.returned", "/", number="8")
    assert post(lin, "/api/v1/notifications/mark-all-read/").json() == {"marked": 1}


def test_all_are_marked_read_on_the_page(cast, told, visit) -> None:
    assert visit("lin").post("/notifications/mark-all-read/")["Location"] == "/notifications/"
    assert not Notification.objects.filter(read_at=None).exists()


def test_signing_out_everywhere_ends_this_browser_the_other_and_the_tokens(cast, visit) -> None:
    here, there = visit("lin"), visit("lin")
    for browser in (here, there):
        key = browser.session.session_key
        UserSession.objects.get_or_create(
            session_key=key, defaults={"user": cast.lin, "ip": "127.0.0.1", "user_agent": "x"}
        )
    AuthToken.objects.create(user=cast.lin)

    assert here.get("/accounts/sign-out-everywhere/").status_code == 405
    answer = here.post("/accounts/sign-out-everywhere/")

    assert answer.status_code == 302
    assert not AuthToken.objects.filter(user=cast.lin).exists()
    assert [browser.get("/notifications/").status_code for browser in (here, there)] == [302, 302]
    assert Event.objects.filter(name="user.sign_out_everywhere", actor_name="lin").count() == 1


def test_a_hidden_field_can_not_be_smuggled_in(cast, api) -> None:
    answer = post(
        api("zhou"),
        "/api/v1/people/",
        username="ning",
        display_name="宁",
        office_id=cast.offices.CD.pk,
        is_superuser=True,
    )
    assert answer.status_code == 400
    assert "is_superuser" in answer.json()["errors"]
    assert not User.objects.filter(username="ning").exists()
