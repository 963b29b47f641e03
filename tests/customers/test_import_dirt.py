"""Files meant to break the way in, and dirt that is rarer: each costs its own rows only, and stops nobody else's."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.utils import translation

from branch.domain.refusals import InvalidInput
from customers.models import FirmCode, Invoice, InvoiceMonth, RecordImport
from customers.services import imports, record_sources
from tests.customers.import_making import HEAD, ROW, Sent, text_of
from tests.customers.making import make_customer
from tests.customers.test_imports import EXCEL_ROW, findings, packed_parts, workbook

SECOND = ROW.replace("1001", "1002")
SHEET = "<worksheet><sheetData>{}</sheetData></worksheet>"


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def sheet_of(*rows: str) -> bytes:
    """A workbook of raw rows below the headings."""
    head = "".join(f'<c t="str"><v>{name}</v></c>' for name in HEAD.split(","))
    return packed_parts(xl__worksheets__sheet1_xml=SHEET.format(f"<row>{head}</row>{''.join(rows)}"))


def cells(number: str) -> str:
    return "".join(f'<c t="str"><v>{value}</v></c>' for value in ROW.replace("1001", number).split(","))


def refusal_of(send, content) -> str:
    with pytest.raises(InvalidInput) as refusal:
        send(content)
    return refusal.value.detail


# --- text


def test_an_open_quotation_mark_costs_its_own_line_only(send):
    lines = [ROW.replace("1001", str(number)) for number in range(2000)]
    lines[10] = lines[10].replace("B1", '"B1')
    lines[20] = lines[20].replace("B1", '"B1')
    done = send(text_of(*lines))
    assert findings(done) == [(12, "", "rejected", "quote"), (22, "", "rejected", "quote")]
    assert done.counts["accepted"] == 1998


def test_values_over_several_lines_are_read(send):
    done = send(text_of(ROW.replace("B1", '"B\n\\.\n1"'), SECOND.replace("有效发票", '"有效发票\n"'), SECOND))
    assert (done.counts["rows"], done.counts.get("rejected")) == (3, None)
    assert [row.counterparty for row in Invoice.objects.order_by("line")] == ["B\n\\.\n1", "B1"]


def test_a_word_for_no_value_is_told_like_any_other_fault(send):
    done = send(text_of(ROW.replace("113.00", "\\N"), SECOND.replace("B1", "\\N")))
    assert findings(done) == [(2, "total", "rejected", "not_an_amount")]
    assert Invoice.objects.get().counterparty == "\\N"


def test_of_two_columns_with_one_heading_the_first_is_taken(send):
    done = send(text_of(ROW + ",7", head=HEAD + ",金额"))
    assert (done.counts["accepted"], Invoice.objects.get().amount) == (1, Decimal(100))


def test_a_few_wrong_bytes_do_not_make_another_encoding(send):
    head = "firm,invoice number,invoice date,buyer,amount,tax,total,status"
    raw = text_of(*(ROW.replace("1001", str(n)) for n in range(20)), SECOND.replace("B1", "XX"), head=head).encode()
    done = send(
        raw.replace(b"XX", b"\xe6\x9c") + SECOND.replace("B1", "YY").encode().replace(b"YY", b"\xff\xff\xff\xff")
    )
    assert (done.form["encoding"], done.counts["accepted"], done.counts["rejected"]) == ("utf-8", 20, 2)


def test_cells_lacking_below_no_heading_and_lines_of_blanks_do_no_harm(send):
    done = send(text_of(ROW + ",,,", SECOND + ",,", " , , , , , , , ", head=HEAD + ",,,"))
    assert done.counts == {"rows": 2, "accepted": 2}


def test_remarks_are_no_delimiter(send):
    amounts = ('"1,000.00"', "50.00")
    rows = [ROW.replace("1001", str(n)).replace("100.00", amounts[n % 2]).replace("B1", "B;1") for n in range(12)]
    assert send(text_of(*rows)).counts["accepted"] == 12


@pytest.mark.parametrize("blank", ["\u200b", "\u2003", "\ufeff", "\xa0"])
def test_blanks_of_every_kind_are_removed(send, blank):
    done = send(text_of(ROW.replace("有效发票", f"{blank}作废发票{blank}")))
    assert (done.counts["void"], findings(done)) == (1, [(2, "status", "noted", "blanks")])


def test_binary_dust_is_no_third_place(send):
    done = send(text_of(ROW.replace("100.00", "100.00000000000001"), SECOND.replace("100.00", "99.995")))
    assert findings(done) == [(3, "amount", "rejected", "not_an_amount")]
    assert Invoice.objects.get().amount == Decimal(100)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (text_of(ROW + ",x" * 600, head=HEAD + ",c" * 600), "500 columns"),
        (text_of(ROW, "x," * 600_000), "a million characters"),
        ("x" * 2_000_000, "a million characters"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000), "old Excel"),
    ],
)
def test_what_would_be_held_in_memory_whole_is_refused(send, content, says):
    assert says in refusal_of(send, content)
    assert not RecordImport.objects.exists()


# --- sums beyond the columns


def test_sums_and_ratios_beyond_all_meaning_stop_no_import(send):
    huge = [f"E1,{n},2025-03-04,B1,99999999999999,0,99999999999999,有效发票" for n in range(120)]
    assert send(text_of(*huge)).state == "done"
    assert InvoiceMonth.objects.get().sales == Decimal("99999999999999.99")
    send(text_of("E2,1,2025-03-04,B1,0.01,0,0.01,有效发票"))
    bought = text_of("E2,2,2025-03-04,A1,500000000,0,500000000,有效发票", head=HEAD.replace("购方", "销方"))
    assert send(bought, layout="purchase_invoices").state == "done"
    assert InvoiceMonth.objects.get(purchases=500_000_000).margin is None


def test_an_import_that_fails_every_time_is_given_up(source, firms, actor, monkeypatch):
    started = imports.receive_import(
        actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(text_of(ROW).encode()), start=True
    )
    monkeypatch.setattr(imports, "import_chunk", lambda **_options: 1 / 0)
    RecordImport.objects.filter(pk=started.pk).update(attempts=imports.MOST_ATTEMPTS - 1)
    with pytest.raises(ZeroDivisionError):
        imports.run_import(started.pk)
    started.refresh_from_db()
    assert (started.state, "20 attempts" in started.refusal) == ("refused", True)


def test_a_file_of_one_customer_takes_no_rows_of_others(send, firms):
    done = send(text_of(ROW.replace("E1", "E9"), SECOND.replace("E1", "")), customer_id=firms[0].pk)
    assert findings(done) == [(2, "firm", "rejected", "unknown_firm")]
    assert Invoice.objects.get().number == "1002"


# --- workbooks


def test_the_sheet_with_the_headings_is_taken_in_wherever_it_stands(send):
    book = openpyxl.load_workbook(io.BytesIO(workbook(["企业代号", "名称"], ["E1", "甲"])))
    book.create_sheet("进项").append(HEAD.replace("购方", "销方").split(","))
    sales = book.create_sheet("销项")
    for row in (HEAD.split(","), EXCEL_ROW):
        sales.append(row)
    out = io.BytesIO()
    book.save(out)
    assert send(out.getvalue()).counts == {"rows": 1, "accepted": 1}


def test_other_sheets_with_the_same_headings_are_told_of(send):
    book = openpyxl.load_workbook(io.BytesIO(workbook(HEAD.split(","), EXCEL_ROW)))
    for row in (HEAD.split(","), EXCEL_ROW):
        book.create_sheet("二月").append(row) if row[0] == "企业代号" else book.worksheets[1].append(row)
    out = io.BytesIO()
    book.save(out)
    done = send(out.getvalue())
    assert (done.counts["accepted"], findings(done)) == (1, [(2, "", "flagged", "other_sheets")])


def test_days_counted_from_1904_are_those_days(send):
    book = openpyxl.load_workbook(io.BytesIO(workbook(HEAD.split(","), EXCEL_ROW)))
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    out = io.BytesIO()
    book.save(out)
    send(out.getvalue())
    assert Invoice.objects.get().invoice_date == date(2025, 3, 4)


def test_lines_told_twice_or_beyond_every_sheet_are_not_believed(send):
    done = send(
        sheet_of(f'<row r="7">{cells("1")}</row>', f'<row r="7">{cells("1")}</row>', f'<row r="3">{cells("2")}</row>')
    )
    assert (done.counts["accepted"], done.counts["identical"]) == (2, 1)
    done = send(sheet_of(f"<row>{cells('3')}</row>", f'<row r="{10**20}">{cells("4")}</row>'))
    assert (done.state, done.counts["accepted"], findings(done)[-1][3]) == ("done", 1, "damaged")


@pytest.mark.parametrize(
    "row",
    [
        '<row r="x"/>',
        '<row><c t="s"><v>x</v></c></row>',
        '<row><c s="x"><v>1</v></c></row>',
        f'<row><c t="str"><v>{"".join(map(str, range(200_000)))}</v></c></row>',
    ],
    ids=["line", "string", "style", "length"],
)
def test_a_made_up_row_ends_the_sheet_and_rows_before_it_stay(send, row):
    filling = "".join(f"<row>{cells(str(number * 7919 % 100003))}</row>" for number in range(300))
    done = send(sheet_of(filling, row))
    assert (done.state, done.counts["accepted"], findings(done)[-1][3]) == ("done", 300, "damaged")


def test_a_workbook_with_a_password_is_refused(send):
    whole = bytearray(sheet_of(f"<row>{cells('1')}</row>"))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        at = archive.start_dir
    whole[6] |= 1
    whole[at + 8] |= 1
    assert "password" in refusal_of(send, bytes(whole))


# --- several files at once


@pytest.fixture
def receive(actor, source, firms):
    def receive(*lines, **options):
        file = Sent(text_of(*lines).encode())
        return imports.receive_import(
            actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=file, **options
        )

    return receive


VOIDED = ROW.replace("有效发票", "作废发票")


def standing():
    return list(Invoice.objects.filter(superseded_at=None).values_list("status", flat=True))


def test_files_of_a_source_are_taken_in_as_they_came(receive):
    first, second = receive(ROW, start=True), receive(VOIDED, start=True)
    assert imports.run_import(second.pk) is False
    assert imports.run_import(first.pk)
    imports.run_import(second.pk)
    assert standing() == ["void"]


def test_a_file_that_keeps_failing_holds_up_no_other(receive):
    first, second = receive(ROW, start=True), receive(VOIDED, start=True)
    RecordImport.objects.filter(pk=first.pk).update(attempts=imports.WAITED_FOR)
    assert imports.run_import(second.pk)
    assert standing() == ["void"]
    imports.run_import(first.pk)
    assert standing() == ["void"]


@pytest.mark.parametrize("mapping", [[1], "x", 7])
def test_columns_that_are_no_mapping_are_refused(receive, mapping):
    with pytest.raises(InvalidInput):
        receive(ROW, start=True, mapping=mapping)


def test_rows_of_unknown_names_are_told(actor, source, firms):
    with pytest.raises(InvalidInput):
        imports.receive_import(actor=actor("he"), source_id=source.pk, layout="sales_invoices", rows=[{"x": 1}])


def test_a_code_of_somebody_elses_customer_is_not_taken_away(source, firms, actor, cast):
    stranger = make_customer(actor("outsider"), 9)
    answer = record_sources.map_firms(
        actor=actor("outsider"), source_id=source.pk, firms=[{"code": "E1", "uscc": stranger.uscc or ""}]
    )
    assert (answer["mapped"], len(answer["rejected"])) == (0, 1)
    assert FirmCode.objects.get(code="E1").customer == firms[0]
    answer = record_sources.map_firms(
        actor=actor("lin"), source_id=source.pk, firms=[{"code": "E1", "uscc": firms[1].uscc or ""}]
    )
    assert answer["mapped"] == 1
