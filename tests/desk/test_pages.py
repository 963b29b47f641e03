"""The style guide with every component, and the pages that say no."""

from __future__ import annotations

import importlib
import re

import pytest
from django.apps import apps
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.urls import clear_url_caches

import desk.urls
from branch.models.stateful import Stateful
from desk.labels import TONES
from desk.ui.drawings import icon
from desk.ui.lists import choice_fields, linked_fields, open_fields
from desk.ui.values import isodate, money, percent, shown, signed, wan
from desk.views.errors import server_error
from loans.nouns.applications import ApplicationFilter


def test_the_style_guide_shows_every_component(sits) -> None:
    html = sits("lin").get("/styleguide/").content.decode()
    for part in ("chip-busy", "level-red", "clock-over", "evidence", "figure-amber", "waterfall", "price-parts"):
        assert part in html, part
    for part in ("timeline-entry", "empty-state", "skeleton", "segments", "xw-table", "error-list", "data-chart"):
        assert part in html, part
    assert "<c-" not in html, "a component that was not drawn"


def test_every_state_of_every_machine_has_a_word_and_a_known_tone() -> None:
    machines = {m.MACHINE for m in apps.get_models() if issubclass(m, Stateful)}
    for machine in machines:
        named = set(TONES[machine.name])
        assert named <= set(machine.states), f"{machine.name} has no state {named - set(machine.states)}"
    assert {tone for tones in TONES.values() for tone in tones.values()} <= {"busy", "good", "attention", "bad"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (money("1234567.891"), "1,234,567.89"),
        (money("-5"), "−5.00"),
        (money(None), "—"),
        (percent("0.0435"), "4.35%"),
        (percent("-0.0015"), "−0.15%"),
        (signed(-12), "−12"),
        (signed(34), "+34"),
        (isodate(None), "—"),
        (shown(""), "—"),
        (shown(0), 0),
    ],
)
def test_values_have_one_look(text, expected) -> None:
    assert text == expected


def test_wan_drops_trailing_zeros() -> None:
    assert wan("3000000").startswith("300 ")


def test_an_icon_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="no outline icon"):
        icon("no-such-icon")
    with pytest.raises(ValueError, match="no icon name"):
        icon("../../etc/passwd")


def test_lists_of_other_records_never_become_choices(cast) -> None:
    """A choice of all applications would show numbers of files the person may not see."""
    form = ApplicationFilter({"customer": "1"}).form
    assert [field.name for field in linked_fields(form)] == ["customer"]
    assert not {field.name for field in choice_fields(form)} & {"customer", "owner"}
    assert not {field.name for field in open_fields(form)} & {"customer", "owner"}


def test_what_is_not_there_and_what_is_not_yours_look_the_same(cast, life, sits) -> None:
    one = life("convert")
    browser = sits("outsider")

    def page(url: str) -> str:
        response = browser.get(url)
        assert response.status_code == 404
        html = response.content.decode()
        return html[html.index('<main class="page-main"') : html.index("</main>")]

    foreign = page(f"/customers/{one.customer.pk}/")
    assert foreign == page("/customers/99999/")
    assert one.name not in foreign


def test_an_unknown_address_is_answered_with_the_same_words(sits) -> None:
    assert "There is nothing here for you" in sits("lin").get("/nothing/here/").content.decode()


def test_a_refusal_in_the_drawer_is_no_whole_page(cast, life, sits) -> None:
    one = life("capture")
    url = f"/leads/{one.lead.pk}/convert/"
    whole = sits("lin").get(url)
    part = sits("lin").get(url, headers={"HX-Request": "true"})
    assert whole.status_code == part.status_code == 403
    assert "<html" in whole.content.decode()
    assert "<html" not in part.content.decode()
    assert "data-refused" in part.content.decode()


@pytest.mark.django_db(databases=[])
def test_the_fault_page_needs_no_database() -> None:
    response = server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "data-refused" in response.content.decode()


def test_a_form_without_its_token_is_told_so(cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.lin)
    response = browser.post("/leads/create/", {})
    assert response.status_code == 403
    assert "data-refused" in response.content.decode()


def test_signing_in_says_what_is_wrong_beside_the_form(cast, client) -> None:
    client.cookies["django_language"] = "en"
    assert client.get("/accounts/login/").status_code == 200
    html = client.post("/accounts/login/", {"login": "lin", "password": "wrong"}).content.decode()
    assert "notice-error" in html
    assert 'value="lin"' in html, "what was typed stays"


@pytest.mark.parametrize("path", ["/accounts/password/change/", "/accounts/2fa/", "/accounts/sessions/"])
def test_the_account_pages_stand_in_the_frame(sits, path) -> None:
    html = sits("lin").get(path).content.decode()
    assert "sidenav" in html
    assert "<c-" not in html


def test_a_form_that_comes_back_keeps_what_was_typed_and_lists_its_errors(cast, sits) -> None:
    html = sits("lin").post("/leads/create/", {"name": "新店", "wanted_amount": "12a"}).content.decode()
    assert 'value="新店"' in html
    assert 'value="12a"' in html
    listed = html[html.index('class="error-list"') : html.index("</ul>", html.index('class="error-list"'))]
    assert {"#id_contact_name", "#id_wanted_amount"} <= set(re.findall(r'href="([^"]+)"', listed))
    assert "data-bound" in html


def test_the_style_guide_is_not_there_in_production() -> None:
    with override_settings(MODE="production"):
        importlib.reload(desk.urls)
        names = {pattern.name for pattern in desk.urls.urlpatterns}
    importlib.reload(desk.urls)
    clear_url_caches()
    assert "styleguide" not in names
