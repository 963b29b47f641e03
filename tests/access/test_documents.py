"""Documents follow the thing they belong to: in lists, in downloads over page and API, and when one is added."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from branch.domain.actor import system_actor
from branch.models import Attachment, Event, User
from branch.services.attachments import attach
from tests.access.calls import Answer, Caller, _text, traces, undone
from tests.access.reach import EVERYBODY, reaches, sees
from tests.access.table import ADDS_DOCUMENTS, WITH_DOCUMENTS
from tests.access.test_nouns import agree, each
from tests.access.world import MARK, World
from tests.life import PDF


def document_of(thing: Any) -> Attachment:
    return attach(actor=system_actor(), subject=thing, kind="document", title=f"{MARK}.pdf", upload=PDF)


def addresses(thing: Any, document: Attachment) -> tuple[str, str, str]:
    of = f"subject_type={thing._meta.model_name}&subject_id={thing.pk}"
    return f"/attachments/{document.pk}/", f"/api/v1/attachments/{document.pk}/content/", f"/api/v1/attachments/?{of}"


@pytest.mark.parametrize("plural", WITH_DOCUMENTS)
def test_reading(world: World, caller: Caller, plural: str) -> None:
    thing = world.thing(plural)
    document = document_of(thing)
    seeing = [grant for grant in EVERYBODY if sees(grant, plural, getattr(thing, "state", ""))]
    blind = [grant for grant in EVERYBODY if grant not in seeing]
    page, content, list_ = addresses(thing, document)
    wrong = []
    for grant in seeing:
        caller.client(user := world.holding(grant))
        afar = grant[1] not in ("same", "owner")  # the same scope; the API alone is asked
        answers = {path: caller.undone(user, "GET", path) for path in ((content,) if afar else (page, content, list_))}
        wrong += [f"{grant} {path}: {a.status}" for path, a in answers.items() if a.status != 200]
        wrong += [] if afar or f'"id":{document.pk},' in answers[list_].text else [f"{grant}: not listed"]
    before = traces(thing)
    wrong += each(blind, world, lambda user: _hidden(caller, user, (page, content, list_)))
    agree(wrong)
    assert traces(thing) == before


def _hidden(caller: Caller, user: User, paths: tuple[str, ...]) -> list[str]:
    answers = {path: caller(user, "GET", path) for path in paths}
    return [f"{path}: {a.status}" for path, a in answers.items() if a.status != 404 or a.leaks or "%PDF" in a.text]


@pytest.mark.parametrize("plural", WITH_DOCUMENTS)
def test_adding(world: World, caller: Caller, plural: str) -> None:
    thing = world.thing(plural)
    state = getattr(thing, "state", "")
    adding = [g for g in EVERYBODY if sees(g, plural, state) and reaches(ADDS_DOCUMENTS.get(g[0]), g[1], plural)]
    wrong = []
    for grant in adding:
        caller.client(user := world.holding(grant))
        with undone():
            ways = ("API", "page") if grant[1] in ("same", "owner") else ("API",)
            for what, answer in _add(caller, user, thing, ways).items():
                if answer.status != {"API": 201, "page": 302}[what]:
                    wrong.append(f"{grant} {what}: {answer.status} {answer.complaint}")
            added = Attachment.objects.filter(subject_id=thing.pk, uploaded_by=user).count()
            wrong += [f"{grant}: added {added}"] if added != len(ways) else []
    before = traces(thing)
    denied = [grant for grant in EVERYBODY if grant not in adding]
    # Apart, as who sees and who may add would together be allowed.
    for people in ([g for g in denied if sees(g, plural, state)], [g for g in denied if not sees(g, plural, state)]):
        wrong += each(people, world, lambda user: _refused(caller, user, thing))
    agree(wrong)
    assert traces(thing) == before


def _add(caller: Caller, user: User, thing: Any, ways: tuple[str, ...] = ("API", "page")) -> dict[str, Answer]:
    answers = {}
    for what in ways:
        path = {"API": "/api/v1/attachments/", "page": "/attachments/"}[what]
        file = SimpleUploadedFile("licence.pdf", PDF, "application/pdf")
        body = {"subject_type": thing._meta.model_name, "subject_id": thing.pk, "kind": "document", "title": "照片"}
        with transaction.atomic():
            response = caller.client(user).post(path, body | {"kind": _kind(thing), "file": file})
            answers[what] = Answer(response.status_code, _text(response))
    return answers


def _kind(thing: Any) -> str:
    """One the noun takes."""
    kinds = {"contract": "condition", "condition": "condition", "application": "statement"}
    return kinds.get(thing._meta.model_name, "document")


def _refused(caller: Caller, user: User, thing: Any) -> list[str]:
    """The API says so by its status; the page leads back to the thing with a message, or is not found."""
    answers = _add(caller, user, thing)
    wrong = [f"API: {answers['API'].status}"] if not answers["API"].denies else []
    wrong += [f"page: {answers['page'].status}"] if answers["page"].status not in (302, 403, 404) else []
    added = Attachment.objects.filter(subject_id=thing.pk, uploaded_by=user).exists()
    return wrong + (["added"] if added else []) + [f"{what} leaks" for what, a in answers.items() if a.leaks]


def test_every_download_is_on_the_record(world: World, caller: Caller) -> None:
    """Page and API alike; a refused one is not."""
    customer = world.thing("customers")
    document = document_of(customer)
    page, content, _list = addresses(customer, document)
    outsider = world.person("outsider", "account_manager", "JB")
    before = Event.objects.count()
    for path in (page, content):
        assert caller(outsider, "GET", path).status == 404
    assert Event.objects.count() == before
    for path in (page, content):
        assert caller(world.owner, "GET", path).status == 200
    assert Event.objects.count() == before + 2
