"""A person before a browser: signs in, opens pages, presses what the page offers, fills in what it asks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
#: What reaches beyond the right edge, and is not inside something that scrolls.
WIDE = """[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > window.innerWidth + 1
    && !e.closest('.scroll-across, .subnav ul')).slice(0, 8).map(e => e.tagName + '.' + e.className)"""


class Person:
    """One signed-in person. Any script error or CSP violation on any page fails the test."""

    def __init__(self, page: Page, base: str, username: str) -> None:
        self.page, self.base, self.username = page, base, username
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("console", self._listen)
        page.goto(f"{base}/accounts/login/")
        page.fill("input[name=login]", username)
        page.fill("input[name=password]", "demo")
        page.click("button[type=submit]")
        expect(page.locator(".page-head")).to_be_visible()

    def _listen(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.faults.append(f"{self.page.url}: {message.text}")

    def open(self, path: str) -> Page:
        """Open a page; it must answer, and must not be wider than the screen."""
        response = self.page.goto(self.base + path)
        assert response is not None
        assert response.ok, f"{path}: {response.status}"
        self.fits()
        return self.page

    def fits(self) -> None:
        wider = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{self.page.url} is {wider} px wider than the screen: {self.page.evaluate(WIDE)}"

    def press(self, offer: str, /, **fields: Any) -> str:
        """Press an offered step, fill in its form in the drawer and send it; the address one lands on."""
        button = self.page.locator(f"[data-offer='{offer}']")
        # The page may still be on its way here.
        expect(button.first).to_be_attached()
        if not button.first.is_visible():
            self.page.locator(".page-offers [data-bs-toggle=dropdown]").first.click()
        button.first.click()
        form = self.page.locator("#drawer-body form.action-form")
        expect(form).to_be_visible()
        # What is pressed while the drawer is still on its way in may be pressed beside it.
        expect(self.page.locator("#drawer.show:not(.showing)")).to_be_attached()
        self.fill(form, **fields)
        with self.page.expect_navigation():
            form.locator("button[type=submit]:not([name=preview])").click()
        self.fits()
        return self.page.url.removeprefix(self.base)

    def fill(self, form: Locator, **fields: Any) -> None:
        for name, value in fields.items():
            field = form.locator(f"[name='{name}']")
            kind = field.first.get_attribute("type")
            if kind == "radio":
                # The drawn button covers the real one, and on a phone the bar at the bottom covers both.
                form.locator(f"[name='{name}'][value='{value}']").evaluate("radio => radio.click()")
            elif kind == "checkbox":
                field.set_checked(bool(value), force=True)
            elif kind == "file":
                field.set_input_files(value)
            elif field.first.evaluate("element => element.tagName") == "SELECT":
                self._choose(field.first, str(value))
            else:
                field.first.fill(str(value))

    def _choose(self, field: Locator, value: str) -> None:
        """By value or, where none has it, by a part of the words; also where the list is drawn by a script."""
        values = field.evaluate(
            "(select, wanted) => [...select.options]"
            ".filter(o => o.value === wanted || o.text.includes(wanted)).map(o => o.value)",
            value,
        )
        assert values, f"nothing to choose like {value!r}"
        field.evaluate(
            "(select, value) => { if (select.tomselect) { select.tomselect.setValue(value) } else {"
            " select.value = value; select.dispatchEvent(new Event('change', {bubbles: true})) } }",
            values[0],
        )

    def sees_state(self, state: str) -> None:
        """The chip at the head of the page says this state."""
        expect(self.page.locator(".page-head .chip").first).to_have_attribute("data-state", state)

    def attach(self, path: Path, *, kind: str, title: str) -> None:
        """Add a file to the thing on the page."""
        self.page.locator("details.upload summary").click()
        form = self.page.locator("form.upload-form")
        self.fill(form, kind=kind, title=title, file=str(path))
        with self.page.expect_navigation():
            form.locator("button").click()

    def type_in(self, form: str, **fields: Any) -> None:
        """Fill in a form that saves itself as typed, and wait until all of it is saved."""
        self.fill(self.page.locator(form), **fields)
        self.page.locator(form).evaluate("form => form.dispatchEvent(new FocusEvent('focusout', {bubbles: true}))")
        self.page.wait_for_function(
            "key => localStorage.getItem(key) === null",
            arg="unsaved:" + (self.page.locator(form).get_attribute("data-autosave") or ""),
        )
        self.page.wait_for_load_state("networkidle")


class Stage:
    """The branch's people, each before a browser of their own."""

    def __init__(self, browser: Browser, base: str) -> None:
        self.browser, self.base = browser, base
        self.language, self.viewport = "zh-CN", DESKTOP
        self.people: dict[str, Person] = {}

    def __call__(self, username: str) -> Person:
        if username not in self.people:
            context = self.browser.new_context(
                locale=self.language,
                viewport=self.viewport,  # type: ignore[arg-type]
                has_touch=self.viewport is PHONE,
                geolocation={"latitude": 29.8823, "longitude": 121.5517},
                permissions=["geolocation"],
            )
            self.people[username] = Person(context.new_page(), self.base, username)
        return self.people[username]

    def close(self) -> None:
        """Pages left open go on asking the server, and a hundred of them slow every test after them."""
        for person in self.people.values():
            person.page.context.close()

    def faults(self) -> list[str]:
        return [fault for person in self.people.values() for fault in person.faults]


def id_in(address: str) -> int:
    """The last number in an address."""
    return int(re.findall(r"/(\d+)/", address)[-1])
