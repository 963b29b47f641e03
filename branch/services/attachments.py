"""Taking files in and handing them out, each time through the thing they belong to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, BinaryIO

import structlog
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.documents import EARLIEST, LATEST
from branch.domain.machine import on
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, WrongState
from branch.domain.roles import Role
from branch.models import Attachment
from branch.models.stateful import Subject
from branch.queries.attachments import subject_of
from branch.queries.parameters import parameter
from branch.queries.visibility import visible
from branch.services.events import record
from branch.services.file_store import StoredFile, names_older_than, open_stored, path_of, store
from branch.services.file_types import refused, sniff
from branch.services.inputs import clean_reason
from branch.services.outbox import consumer, publish
from branch.services.transition import lock, may, require_in_use, require_open
from branch.services.use_case import use_case

logger = structlog.get_logger(__name__)

#: Who may add a file to a subject they see; account managers to their own only.
ATTACH = on(
    "attach",
    "",
    "",
    Role.ACCOUNT_MANAGER,
    Role.CO_INVESTIGATOR,
    Role.RISK_REVIEWER,
    Role.APPROVER,
    Role.DISBURSEMENT_OFFICER,
    Role.LOAN_ACCOUNTANT,
    Role.POST_LOAN_OFFICER,
    Role.BRANCH_MANAGER,
    Role.SYSTEM,
)
#: The kind of file that must be a picture, wherever it is kept.
PHOTO = "photo"
#: Longer than any transaction lasts, so that the file of one under way is never taken for an orphan.
ORPHAN_AFTER_SECONDS = 3600


@use_case("attach_file")
def attach(
    *, actor: Actor, subject: Subject, kind: str, title: str, upload: Any, expires_on: date | None = None
) -> Attachment:
    """Keep a file with `subject`. `upload` is bytes, or anything with `read` (and `name`, whose ending must agree).

    `expires_on` is the last day the paper holds. Raises NotFound, PermissionRefused, and InvalidInput for the wrong
    kind or size of file, no title, or a day no paper ends on.
    """
    stored_subject = visible(type(subject), actor).filter(pk=subject.pk).first()
    if stored_subject is None:
        raise NotFound(_("There is no such record."))
    if not may(actor, ATTACH, subject):
        raise PermissionRefused(_("Your role does not allow this here."), event=ATTACH.event)
    _require_place(stored_subject)
    title = _clean_title(title)
    expires_on = _clean_last_day(expires_on)
    # The bytes are written first: a row never speaks of a file that is not there. When the caller's transaction
    # fails later on, the bytes stay behind without a row and remove_orphan_files takes them away.
    stored = store(upload, limit_bytes=parameter("upload.limit_bytes"))
    try:
        media_type = sniff(stored.path, _name_of(upload)).media_type
        if kind == PHOTO and not media_type.startswith("image/"):
            raise refused(_("A photo is a picture: png, jpg or webp."))
        return _add_row(actor, subject, stored, kind=kind, title=title, media_type=media_type, expires_on=expires_on)
    except BaseException:
        stored.path.unlink(missing_ok=True)
        raise


def _add_row(actor: Actor, subject: Subject, stored: StoredFile, **facts: Any) -> Attachment:
    attachment = Attachment.objects.create(
        subject_type=str(subject._meta.model_name),
        subject_id=str(subject.pk),
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        storage_name=stored.name,
        office_id=subject.office_id,
        customer_id=subject.subject_customer_id,
        file_key=subject.file_key,
        uploaded_by_id=actor.user_id,
        **facts,
    )
    # The title stays out of the record: people name files after people.
    told = {"kind": attachment.kind, "sha256": stored.sha256, "media_type": attachment.media_type}
    after = {"attachment_id": attachment.pk, **told, **_last_day(attachment)}
    record("attachment.add", subject, actor=actor, after=after)
    return attachment


@use_case("correct_document")
def correct_document(*, actor: Actor, attachment_id: int, expires_on: date | None, reason: str) -> Attachment:
    """Another last day for a document already on file, or none; what stood there stays on the record.

    Raises NotFound, PermissionRefused for who may not add documents there, InvalidInput for a day no paper ends on.
    """
    reason = clean_reason(reason)
    expires_on = _clean_last_day(expires_on)
    attachment = lock(Attachment, attachment_id, actor)
    subject = subject_of(attachment, actor)
    if subject is None:
        raise NotFound(_("There is no such document."))
    if not may(actor, ATTACH, subject):
        raise PermissionRefused(_("Your role does not allow this here."), event="correct")
    _require_place(subject)
    before = _last_day(attachment)
    attachment.expires_on = expires_on
    attachment.save(update_fields=["expires_on"])
    after = {"attachment_id": attachment.pk, "kind": attachment.kind, "expires_on": None, **_last_day(attachment)}
    record("attachment.correct", subject, actor=actor, before=before, after=after, reason=reason)
    return attachment


def _require_place(subject: Subject) -> None:
    """Raises WrongState where nothing is put with it any more, nor with whom it belongs to."""
    require_open(subject)
    require_in_use(getattr(subject, "customer", None), getattr(subject, "lead", None))


def _last_day(attachment: Attachment) -> dict[str, str]:
    """For the record, where one was said."""
    return {"expires_on": attachment.expires_on.isoformat()} if attachment.expires_on else {}


def _clean_last_day(expires_on: date | None) -> date | None:
    if expires_on is not None and not EARLIEST <= expires_on <= LATEST:
        span = {"earliest": EARLIEST, "latest": LATEST}
        raise InvalidInput(fields={"expires_on": [_("Choose a day from %(earliest)s to %(latest)s.") % span]})
    return expires_on


def _clean_title(title: str) -> str:
    cleaned = " ".join(str(title).split())
    if not cleaned:
        raise InvalidInput(fields={"title": [_("Give the document a title.")]})
    return cleaned[:200]


def _name_of(upload: Any) -> str:
    return "" if isinstance(upload, bytes) else str(getattr(upload, "name", "") or "")


@use_case("open_attachment")
def open_attachment(*, actor: Actor, attachment_id: int) -> tuple[Attachment, BinaryIO]:
    """The row and its open file; every opening is on the record.

    Raises NotFound when there is no such attachment or the actor may not see what it belongs to.
    """
    attachment = Attachment.objects.filter(pk=attachment_id).first()
    subject = subject_of(attachment, actor) if attachment else None
    if attachment is None or subject is None:
        raise NotFound(_("There is no such document."))
    if attachment.erased_on is not None:
        raise WrongState(_("This document was erased on %(day)s.") % {"day": attachment.erased_on}, id=attachment.pk)
    facts = {"attachment_id": attachment.pk, "kind": attachment.kind}
    record("attachment.download", subject, actor=actor, after=facts)
    try:
        return attachment, open_stored(attachment.storage_name)
    except FileNotFoundError:
        logger.error("the file of an attachment is missing", attachment=attachment.pk)
        raise NotFound(_("The file of this document is missing. Tell the administrator.")) from None


#: Stored names in one message to the worker that removes their bytes.
NAMES_AT_ONCE = 500


def erase_attachments(rows: QuerySet[Attachment], on: date) -> int:
    """Have the bytes of these files removed once the transaction is through, and their titles now; how many.

    The row stays, with its kind, day and digest, and says that it was erased.
    """
    names = list(rows.filter(erased_on=None).select_for_update(of=("self",)).values_list("storage_name", flat=True))
    Attachment.objects.filter(storage_name__in=names).update(title="", erased_on=on, expires_on=None)
    remove_bytes_after_commit(names)
    return len(names)


def remove_bytes_after_commit(names: Sequence[str]) -> None:
    """Have stored bytes removed that no row speaks of any more once this transaction is through."""
    for start in range(0, len(names), NAMES_AT_ONCE):
        publish("files.erased", names=list(names[start : start + NAMES_AT_ONCE]))


@consumer("files.erased", "remove_bytes", calls_out=True)
def _remove_bytes(payload: dict[str, Any]) -> None:
    # Outside any transaction, and as good twice as once.
    for name in payload["names"]:
        path_of(name).unlink(missing_ok=True)


#: Who may speak of a stored name; apps whose files are no attachments add themselves.
HOLDERS: list[Callable[[str], bool]] = [lambda name: Attachment.objects.filter(storage_name=name).exists()]


def remove_orphan_files() -> int:
    """Delete stored bytes that no row speaks of (their transaction failed); returns how many."""
    removed = 0
    for name in names_older_than(ORPHAN_AFTER_SECONDS):
        if not any(holds(name) for holds in HOLDERS):
            path_of(name).unlink(missing_ok=True)
            removed += 1
    return removed
