"""The upload form on a thing's page, and the download link."""

from __future__ import annotations

from datetime import date
from pathlib import PurePath
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from branch.api.attachments import file_response, subject_seen, upload_to
from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, NotFound, Refusal
from branch.middleware import actor_of
from branch.models.stateful import Subject
from branch.web.idempotency import digest, once
from branch.web.noun import url_of


@login_required
@require_POST
def upload(request: HttpRequest) -> HttpResponseBase:
    """Attach the posted file to its subject and go back to the subject's page, saying what happened."""
    actor = actor_of(request)
    subject = subject_seen(actor, request.POST.get("subject_type", ""), request.POST.get("subject_id", ""))
    back = url_of(subject)
    if not back:
        raise NotFound(_("There is no such record."))
    file = request.FILES.get("file")
    if file is None:
        messages.error(request, _("Choose a file first."))
        return redirect(back)
    try:
        _attach_once(request, actor, subject, file)
    except Refusal as refusal:
        messages.error(request, _said(refusal))
    else:
        messages.success(request, _("The document was added."))
    return redirect(back)


def _said(refusal: Refusal) -> str:
    """What is wrong with a field says more than that one is."""
    fields = refusal.fields if isinstance(refusal, InvalidInput) else {}
    return " ".join(str(error) for errors in fields.values() for error in errors) or refusal.detail


def _attach_once(request: HttpRequest, actor: Actor, subject: Subject, file: UploadedFile) -> None:
    """A form sent twice, by a double click say, attaches once."""
    title = request.POST.get("title", "").strip() or PurePath(file.name or "").stem
    kind, last_day = request.POST.get("kind", ""), request.POST.get("expires_on", "").strip()
    expires_on = _day(last_day)

    def work() -> tuple[int, Any]:
        return 200, upload_to(actor, subject, kind=kind, title=title, file=file, expires_on=expires_on).pk

    key = request.POST.get("idempotency_key", "")
    if key:
        body = digest(str(subject.pk), kind, title, last_day, file.name or "", str(file.size))
        once(caller=f"page:{actor.user_id}", route=request.path, key=key, body_sha256=body, work=work)
    else:
        work()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        message = _("Enter a day such as 2027-03-31.")
        raise InvalidInput(fields={"expires_on": [message]}) from None


@login_required
@require_safe
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    return file_response(actor_of(request), pk)
