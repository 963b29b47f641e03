"""Small spreadsheets read in the request: what they hold, and what they must not do to it."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest
from django.utils import translation

from branch.domain.refusals import InvalidInput
from customers.models import RecordSource
from customers.services.imports import receive_import
from customers.services.record_files import MOST_BYTES, MOST_LINES, content_of, read_rows
from tests.customers.test_imports import packed_parts

HEAD = ["metric", "source", "month", "value"]


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def workbook(*rows, far: tuple[int, int] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    if far:
        book.worksheets[0].cell(*far).value = 1
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_is_read_with_its_months_and_numbers():
    row = ["electricity_kwh", "grid", date(2026, 3, 1), 1234.5]
    assert read_rows(workbook(HEAD, row, ["税款", " 税务 ", "2026-02", 7])) == [
        {"metric": "electricity_kwh", "source": "grid", "period_month": "2026-03-01", "value": "1234.5"},
        {"metric": "税款", "source": "税务", "period_month": "2026-02", "value": "7"},
    ]


def test_a_cell_at_the_far_end_of_a_sheet_takes_no_room():
    assert len(read_rows(workbook(HEAD, far=(1_048_576, 16_384)))) <= 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"metric,source,month,value\n" + b"x" * 200_000 + b",a,b,c\n", "can't be read"),
        (b"metric,source,month,value\n" + b"a,b,c,d\n" * (MOST_LINES + 1), "At most"),
        (packed_parts(xl__worksheets__sheet1_xml=b"<row>" + b"0" * (64 * 2**20)), "unpacks"),
        (workbook(HEAD)[:-900], "not sent whole"),
        (b"", "no rows"),
    ],
    ids=["long cell", "many rows", "bomb", "half", "empty"],
)
def test_what_is_no_small_table_is_refused(content, says):
    with pytest.raises(InvalidInput) as refusal:
        read_rows(content)
    assert says in refusal.value.detail


def test_a_large_upload_is_not_even_read():
    class Upload:
        size: int | None = MOST_BYTES + 1

        def read(self) -> bytes:
            raise AssertionError

    with pytest.raises(InvalidInput):
        content_of(Upload())


def test_half_a_letter_in_rows_of_a_call_is_refused(actor, cast):
    source = RecordSource.objects.create(office=cast.offices.HO, code="tax", name="tax")
    with pytest.raises(InvalidInput) as refusal:
        receive_import(actor=actor("he"), source_id=source.pk, layout="readings", rows=[{"firm": "\ud800"}])
    assert "rows" in refusal.value.fields
