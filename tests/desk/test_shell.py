"""The frame: places cut to the role, counts in one statement, theme and language, nothing inline."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from branch.models import Notification
from branch.web.noun import NOUNS
from customers.models import Lead
from desk.context import Shell
from desk.navigation import FUNNEL_READERS
from desk.queries.open_work import COUNT_LIMIT, counts
from loans.queries.guarantees import RING_READERS

PEOPLE = ("lin", "zhao", "sun", "qian", "wu", "he", "feng", "outsider")


def places(html: str) -> set[str]:
    side = html[html.index('<nav class="sidenav"') : html.index('<main class="page-main"')]
    return set(re.findall(r'class="place" href="([^"]+)"', side))


@pytest.mark.parametrize("username", PEOPLE)
def test_the_navigation_shows_what_the_roles_may_open_and_nothing_else(cast, sits, username) -> None:
    shown = places(sits(username).get("/").content.decode())
    roles = cast.actor(username).roles
    allowed = {noun.url() for noun in NOUNS.values() if noun.in_navigation and roles & noun.readers}
    assert allowed, "somebody without a place is no test"
    tools = {"/calculator/", *(["/funnel/"] if roles & FUNNEL_READERS else [])}
    tools |= {"/guarantee-circles/"} if roles & RING_READERS else set()
    assert shown - {"/", "/dashboard/"} == allowed | tools


def test_only_those_who_read_the_branch_have_the_dashboard(sits) -> None:
    assert "/dashboard/" in places(sits("feng").get("/").content.decode())
    assert "/dashboard/" not in places(sits("lin").get("/").content.decode())


def test_every_place_opens(cast, sits) -> None:
    for username in PEOPLE:
        browser = sits(username)
        for url in places(browser.get("/").content.decode()):
            assert browser.get(url).status_code == 200, (username, url)


def test_open_work_is_counted_for_the_person_in_one_statement(cast, life, sits) -> None:
    # Given two leads of Lin's, one of them lost, and one of the outsider's
    for name, owner, office in (("甲", cast.lin, cast.offices.CD), ("乙", cast.outsider, cast.offices.JB)):
        Lead.objects.create(name=name, contact_name="陈", source="visit", owner=owner, office=office)
    lost = Lead.objects.create(name="丙", contact_name="陈", source="visit", owner=cast.lin, office=cast.offices.CD)
    Lead.objects.filter(pk=lost.pk).update(state="lost")
    # When Lin's navigation is drawn
    request = sits("lin").get("/").wsgi_request
    shell = Shell(request)
    assert shell.role_line  # the person's own facts, read apart
    nouns = shell._nouns
    with CaptureQueriesContext(
        connection,
    ) as seen:
        found = shell._counts
    # Then one statement has counted the one open lead of hers
    assert len(seen) == 1
    assert found["lead"] == 1
    assert len(nouns) > 5


def test_counting_stops_at_a_limit(cast) -> None:
    Lead.objects.bulk_create(
        Lead(name=f"店{n}", contact_name="陈", source="visit", owner=cast.lin, office=cast.offices.CD)
        for n in range(COUNT_LIMIT + 5)
    )
    rows = Lead.objects.all()
    assert counts({"lead": rows, "none": rows.none()}) == {"lead": COUNT_LIMIT, "none": 0}
    assert counts({"lead": rows}, limit=None) == {"lead": COUNT_LIMIT + 5}


def test_unread_notifications_are_the_persons_own(cast, sits) -> None:
    for user in (cast.lin, cast.lin, cast.zhao):
        Notification.objects.create(user=user, kind="x", url="/")
    assert Shell(sits("lin").get("/").wsgi_request).unread == 2


def test_a_page_costs_the_same_queries_however_much_there_is(cast, sits) -> None:
    browser = sits("lin")

    def make(count: int) -> None:
        Lead.objects.bulk_create(
            Lead(name=f"店{n}", contact_name="陈", source="visit", owner=cast.lin, office=cast.offices.CD)
            for n in range(count)
        )

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get("/leads/").status_code == 200
        return len(seen)

    make(2)
    browser.get("/leads/")
    few = cost()
    make(30)
    assert cost() == few


@pytest.mark.parametrize(("cookie", "expected"), [("dark", "dark"), ("light", "light"), ("red", None), ("", None)])
def test_the_theme_is_on_the_page_before_any_script_runs(sits, cookie, expected) -> None:
    browser = sits("lin")
    browser.cookies["theme"] = cookie
    html = browser.get("/").content.decode()
    found = re.search(r'<html[^>]* data-bs-theme="([^"]*)"', html)
    assert (found.group(1) if found else None) == expected


def test_the_language_can_be_switched_and_stays(sits) -> None:
    browser = sits("lin")
    assert 'lang="en"' in browser.get("/").content.decode()
    browser.post("/i18n/setlang/", {"language": "zh-hans", "next": "/"})
    html = browser.get("/").content.decode()
    assert '<html lang="zh-Hans"' in html
    assert "我的一天" in html


def test_nothing_is_inline(sits, life) -> None:
    """What a strict content security policy would drop must not stand on a page."""
    one = life("decide")
    browser = sits("lin")
    for url in ("/", "/leads/", "/styleguide/", "/search/?q=梅林", f"/applications/{one.application.pk}/"):
        html = browser.get(url).content.decode()
        assert not re.search(r"<[^>]+\sstyle=", html), url
        assert not re.search(r"<[^>]+\son[a-z]+=", html), url
        for script in re.findall(r"<script([^>]*)>", html):
            assert "src=" in script or 'type="application/json"' in script, (url, script)


@pytest.mark.parametrize(
    ("username", "line"),
    [("he", "Post-loan officer"), ("wu", "Disbursement officer"), ("zhou", "Branch manager"), ("qian", "Approver")],
)
def test_a_person_is_known_by_the_role_nearest_the_file(cast, sits, username, line) -> None:
    request = sits(username).get("/accounts/2fa/").wsgi_request
    with translation.override("en"):
        assert Shell(request).role_line.startswith(line)
