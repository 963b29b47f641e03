"""Files come in through a thing a person may write to, and go out through a thing they may see."""

from __future__ import annotations

import io
import stat
import zipfile
from types import SimpleNamespace

import pytest
from django.db import transaction

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused
from branch.models import Attachment, Event, ParameterValue
from branch.queries.attachments import attachments_of
from branch.queries.visibility import visible
from branch.services import attachments as service
from branch.services.attachments import attach, open_attachment, remove_orphan_files
from branch.services.file_store import path_of
from customers.models import Customer

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 64
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 64
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + b"\x00" * 64


def office_file(folder: str, *more: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in ("[Content_Types].xml", f"{folder}/document.xml", *more):
            archive.writestr(name, "<x/>")
    return data.getvalue()


def named(name: str, data: bytes) -> io.BytesIO:
    file = io.BytesIO(data)
    file.name = name
    return file


@pytest.fixture(autouse=True)
def files_dir(settings, tmp_path):
    settings.FILES_DIR = str(tmp_path / "files")
    return tmp_path / "files"


@pytest.fixture
def customer(cast: SimpleNamespace) -> Customer:
    return Customer.objects.create(
        office=cast.offices.HW, owner=cast.lin, kind="company", name="鑫达五金", contact_name="陈"
    )


def attach_and_fail(cast: SimpleNamespace, customer: Customer) -> None:
    with transaction.atomic():
        attach(actor=cast.actor("lin"), subject=customer, kind="x", title="t", upload=PNG)
        raise RuntimeError("the caller's transaction fails")


def stored_files(files_dir) -> list:
    return [path for path in files_dir.glob("*/*") if path.is_file()]


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("licence.png", PNG, "image/png"),
        ("licence.JPG", JPEG, "image/jpeg"),
        ("photo.webp", WEBP, "image/webp"),
        ("lease.pdf", PDF, "application/pdf"),
        ("flows.csv", "日期,金额\n2026-03-01,100.00\n".encode(), "text/csv"),
        ("flows.csv", "日期,金额\n".encode("gb18030"), "text/csv"),
        ("note.txt", b"seen on site\n", "text/plain"),
        ("plan.xlsx", office_file("xl"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (
            "plan.docx",
            office_file("word"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
    ],
)
def test_the_usual_documents_are_taken_in(cast, customer, files_dir, name, data, media_type) -> None:
    attachment = attach(
        actor=cast.actor("lin"), subject=customer, kind="licence", title="执照", upload=named(name, data)
    )

    path = path_of(attachment.storage_name)
    assert attachment.media_type == media_type
    assert attachment.size_bytes == len(data)
    assert path.read_bytes() == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert name.split(".")[0] not in str(path)
    assert list(attachments_of(customer)) == [attachment]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("page.html", b"<!doctype html><script>alert(1)</script>"),
        ("page.txt", b"  <!doctype html><script>alert(1)</script>"),
        ("page.csv", b'\xef\xbb\xbf<?xml version="1.0"?><svg/>'),
        ("tool.exe", b"MZ" + b"\x00" * 200),
        ("tool.pdf", b"MZ" + b"\x00" * 200),
        ("tool.txt", b"MZ\x00\x00"),
        ("picture.png", JPEG),
        ("lease.pdf.exe", PDF),
        ("lease.txt", PDF),
        ("macros.xlsx", office_file("xl", "xl/vbaProject.bin")),
        ("macros.xlsm", office_file("xl", "xl/vbaProject.bin")),
        ("archive.zip", office_file("other")),
        ("archive.docx", office_file("other")),
        ("broken.docx", b"PK\x03\x04nothing"),
        ("empty.pdf", b""),
        ("picture", b"MZ\x90\x00\x03"),
    ],
)
def test_a_file_that_is_not_what_it_says_or_could_run_is_refused(cast, customer, files_dir, name, data) -> None:
    with pytest.raises(InvalidInput) as refusal:
        attach(actor=cast.actor("lin"), subject=customer, kind="x", title="t", upload=named(name, data))

    assert list(refusal.value.fields) == ["upload"]
    assert not Attachment.objects.exists()
    assert not Event.objects.exists()
    assert stored_files(files_dir) == []


def test_a_file_above_the_limit_is_refused_before_all_of_it_is_read(cast, customer, files_dir) -> None:
    ParameterValue.objects.create(code="upload.limit_bytes", value=200_000, effective_date="2020-01-01")
    upload = named("big.pdf", PDF + b"0" * 5_000_000)

    with pytest.raises(InvalidInput):
        attach(actor=cast.actor("lin"), subject=customer, kind="x", title="t", upload=upload)

    assert upload.tell() < 1_000_000
    assert stored_files(files_dir) == []


def test_a_photo_is_a_picture(cast, customer, files_dir) -> None:
    facts = {"actor": cast.actor("lin"), "subject": customer, "kind": "photo", "title": "t"}
    with pytest.raises(InvalidInput) as refused:
        attach(upload=PDF, **facts)
    assert list(refused.value.fields) == ["upload"]
    assert (Attachment.objects.count(), stored_files(files_dir)) == (0, [])
    assert attach(upload=PNG, **facts).media_type == "image/png"


def test_bytes_made_by_the_program_need_no_name(cast, customer) -> None:
    attachment = attach(actor=cast.actor("lin"), subject=customer, kind="contract", title="c", upload=PDF)
    assert attachment.media_type == "application/pdf"


@pytest.mark.parametrize("who", ["lin", "zhao", "sun", "qian", "wu", "he", "zhou"])
def test_who_works_on_a_customer_may_add_to_it(cast, customer, who) -> None:
    attachment = attach(actor=cast.actor(who), subject=customer, kind="x", title="t", upload=PDF)
    assert attachment.uploaded_by_id == getattr(cast, who).pk


@pytest.mark.parametrize(("who", "refusal"), [("feng", PermissionRefused), ("outsider", NotFound)])
def test_nobody_else_adds_to_it(cast, customer, files_dir, who, refusal) -> None:
    with pytest.raises(refusal):
        attach(actor=cast.actor(who), subject=customer, kind="x", title="t", upload=PDF)

    assert not Attachment.objects.exists()
    assert stored_files(files_dir) == []


def test_every_opening_is_on_the_record(cast, customer) -> None:
    attachment = attach(actor=cast.actor("lin"), subject=customer, kind="x", title="张三的身份证", upload=PDF)

    found, file = open_attachment(actor=cast.actor("feng"), attachment_id=attachment.pk)

    with file:
        assert file.read() == PDF
    assert found == attachment
    event = Event.objects.get(name="attachment.download")
    assert (event.actor_name, event.subject_type, event.subject_id) == ("feng", "customer", str(customer.pk))
    assert event.after["attachment_id"] == attachment.pk
    assert "张三" not in str(list(Event.objects.values()))


def test_a_file_is_hidden_from_whoever_does_not_see_its_subject(cast, customer) -> None:
    attachment = attach(actor=cast.actor("lin"), subject=customer, kind="x", title="t", upload=PDF)

    with pytest.raises(NotFound):
        open_attachment(actor=cast.actor("outsider"), attachment_id=attachment.pk)

    assert not visible(Attachment, cast.actor("outsider")).exists()
    assert list(visible(Attachment, cast.actor("lin"))) == [attachment]
    assert not Event.objects.filter(name="attachment.download").exists()


def test_bytes_whose_transaction_failed_are_removed_later_and_no_others(cast, customer, files_dir, monkeypatch) -> None:
    kept = attach(actor=cast.actor("lin"), subject=customer, kind="x", title="t", upload=PDF)
    with pytest.raises(RuntimeError):
        attach_and_fail(cast, customer)
    assert len(stored_files(files_dir)) == 2

    assert remove_orphan_files() == 0  # it may belong to a transaction that is still under way
    monkeypatch.setattr(service, "ORPHAN_AFTER_SECONDS", -1)
    assert remove_orphan_files() == 1

    assert stored_files(files_dir) == [path_of(kept.storage_name)]
