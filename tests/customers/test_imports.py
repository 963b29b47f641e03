"""Files of VAT invoices on their way in: the dirt real files have, bad files, and a worker that dies half way."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import translation
from rest_framework.test import APIClient

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, WrongState
from branch.models import ParameterValue, User
from branch.services.file_store import path_of
from customers.management.commands.bench_import import Command as BenchImport
from customers.management.commands.bench_import import forget_peak, peak_mb
from customers.models import ExternalRecord, FirmCode, ImportFinding, Invoice, InvoiceMonth, RecordImport, RecordSource
from customers.queries.imports import count_words, report_lines
from customers.queries.invoices import firm_totals
from customers.services import imports, record_sources
from customers.services.intake.reading import Form, open_lines
from tests.customers.import_making import HEAD, ROW, Sent, text_of
from tests.customers.making import make_customer, uscc_of


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def findings(done):
    rows = ImportFinding.objects.filter(record_import=done).order_by("line", "code")
    return [(row.line, row.field, row.weight, row.code) for row in rows]


def totals(actor, source, rule=""):
    return {(row["firm"], row["direction"]): row for row in firm_totals(actor("zhou"), source, rule)}


# --- the dirt of real files


def test_rows_go_in_with_their_firm_and_where_they_stood(send, firms, source):
    done = send(text_of(ROW, 'E2,1,2025/3/5,B2,"1,000.50",0,１０００.５,正常'))

    assert (done.state, done.counts) == ("done", {"rows": 2, "accepted": 2})
    first, second = Invoice.objects.order_by("line")
    assert (first.customer, first.direction, first.number, first.counterparty) == (firms[0], "sale", "1001", "B1")
    assert (first.amount, first.tax, first.total, first.status) == (
        Decimal("100.00"),
        Decimal(13),
        Decimal(113),
        "valid",
    )
    assert (first.invoice_date, first.line, first.record_import_id) == (date(2025, 3, 4), 2, done.pk)
    assert (second.invoice_date, second.amount, second.total) == (
        date(2025, 3, 5),
        Decimal("1000.5"),
        Decimal("1000.5"),
    )


def test_identical_rows_count_once_or_all_and_the_report_says_how_many(send, actor, source):
    done = send(text_of(ROW, ROW, "E1,1002,2025-03-05,B1,50,0,50,有效发票", ROW))

    assert done.counts["identical"] == 2
    assert findings(done) == [(3, "", "noted", "identical"), (5, "", "noted", "identical")]
    assert Invoice.objects.count() == 2
    once, every = totals(actor, source, "once"), totals(actor, source, "all")
    assert (once["E1", "sale"]["net_count"], once["E1", "sale"]["net_amount"]) == (2, 150)
    assert (every["E1", "sale"]["net_count"], every["E1", "sale"]["net_amount"]) == (4, 350)
    assert InvoiceMonth.objects.get().sales == 150


def test_a_source_told_to_count_all_derives_all(send, actor, source, cast):
    send(text_of(ROW, ROW))
    assert InvoiceMonth.objects.get().sales == 100

    record_sources.update_source(actor=actor("zhou"), record_source_id=source.pk, identical_rows="all")
    for pk in imports.unsettled_imports():
        imports.settle_import(record_import_id=pk)

    month = InvoiceMonth.objects.get()
    assert [month.sales, month.sales_count] == [200, 2]
    assert imports.unsettled_imports() == []


def test_the_same_file_sent_twice_changes_nothing(send, actor, source):
    text = text_of(ROW, ROW, "E1,1002,2025-03-05,B1,50,0,50,作废发票")
    send(text)
    before = totals(actor, source, "all"), list(InvoiceMonth.objects.values("sales", "void_share"))

    again = send(text)

    assert again.counts == {"rows": 3, "unchanged": 2, "identical": 1, "void": 1}
    assert (totals(actor, source, "all"), list(InvoiceMonth.objects.values("sales", "void_share"))) == before


def test_a_number_of_other_content_is_kept_twice_and_flagged(send, actor, source):
    done = send(text_of(ROW, "E1,1001,2025-06-04,B9,200,26,226,有效发票", "E2,1001,2025-06-04,B9,7,0,7,有效发票"))

    assert done.counts["same_number"] == 2
    assert [row for row in findings(done) if row[3] == "same_number"] == [
        (2, "number", "flagged", "same_number"),
        (3, "number", "flagged", "same_number"),
    ]
    assert list(Invoice.objects.order_by("line").values_list("has_twin", flat=True)) == [True, True, False]
    assert totals(actor, source)["E1", "sale"]["net_amount"] == 300


def test_an_invoice_voided_in_a_later_file_is_replaced_and_the_former_kept(send, actor, source):
    send(text_of(ROW))
    done = send(text_of(ROW.replace("有效", "作废")))

    assert (done.counts["accepted"], done.counts["replaced"]) == (1, 1)
    assert totals(actor, source)["E1", "sale"]["net_count"] == 0
    former = Invoice.objects.exclude(superseded_at=None).get()
    assert (former.status, former.has_twin) == ("valid", False)
    assert InvoiceMonth.objects.get().sales == 0

    send(text_of(ROW))
    assert totals(actor, source)["E1", "sale"]["net_count"] == 1
    assert InvoiceMonth.objects.get().sales == 100


def test_valid_and_void_of_one_number_in_one_file_both_stay(send, actor, source):
    done = send(text_of(ROW, ROW.replace("有效", "作废")))
    assert done.counts["same_number"] == 2
    row = totals(actor, source)["E1", "sale"]
    assert (row["valid_count"], row["void_count"]) == (1, 1)


def test_voids_are_left_out_and_red_invoices_subtract(send, actor, source):
    done = send(
        text_of(
            ROW,
            "E1,1002,2025-03-05,B1,0,0,0,作废发票",
            "E1,1003,2025-03-05,B1,,,,作废发票",
            "E1,1004,2025-03-06,B1,-40,-5.20,-45.20,有效发票",
            "E1,1005,2025-03-06,B1,10,1.30,11.30,红字发票",
            "E1,1006,2025-03-06,B1,5,0,5,作废发票",
        )
    )

    assert {name: done.counts[name] for name in ("void", "zero_void", "negative")} == {
        "void": 3, "zero_void": 2, "negative": 2,
    }  # fmt: skip
    assert (6, "total", "noted", "red_turned") in findings(done)
    row = totals(actor, source)["E1", "sale"]
    assert (row["valid_amount"], row["negative_amount"], row["net_amount"], row["net_total"]) == (
        100, -50, 50, Decimal("56.50"),
    )  # fmt: skip
    assert (row["void_count"], row["void_amount"]) == (3, 5)
    month = InvoiceMonth.objects.get()
    assert [month.sales, month.void_share, month.negative_share] == [50, Decimal("0.5"), Decimal("0.5")]


def test_stray_blanks_are_removed_and_noted(send):
    done = send(
        text_of("E1 ,1001,2025-03-04,B1,100.00,13.00,113.00, 作废发票", "E1,2,2025-03-04,A B,1,0,1,\u3000有效发票")
    )

    assert (done.counts["accepted"], done.counts["blanks"]) == (2, 2)
    assert Invoice.objects.get(number="1001").status == "void"
    assert Invoice.objects.get(number="2").counterparty == "A B"


def test_a_total_off_by_more_than_the_tolerance_is_flagged_and_kept(send, source):
    lines = [
        f"E1,{n},2025-03-04,B1,100.00,13.00,{total},有效发票" for n, total in enumerate(("113.01", "113.02", "112.08"))
    ]
    done = send(text_of(*lines))
    assert (done.counts["accepted"], done.counts["off_total"]) == (3, 2)
    assert list(Invoice.objects.order_by("line").values_list("is_off_total", flat=True)) == [False, True, True]

    RecordSource.objects.update(total_tolerance=Decimal("1.00"))
    assert "off_total" not in send(text_of(*(line.replace("E1", "E2") for line in lines))).counts


def test_each_bad_row_says_what_is_wrong_with_it_and_the_good_ones_stay(send, actor):
    done = send(
        text_of(
            ROW,
            "E9,1,2025-03-04,B1,1,0,1,有效发票",
            "E1,,2025-02-30,B1,abc,0,NaN,其他",
            "E1,3,2026-03-03,B1,1.005,0,1,有效发票",
            "E1,4,2025-03-04,B1,1,0",
            "E1,5,2025-03-04,B1,1,0,1,有效发票,,",
            "E1,6,today,B1,1e20,0,Infinity,有效发票",
            "",
            ",,,,,,,",
        )
    )

    assert (done.counts["accepted"], done.counts["rejected"], done.counts["rows"]) == (2, 5, 7)
    assert sorted(findings(done)) == [
        (3, "firm", "rejected", "unknown_firm"),
        (4, "amount", "rejected", "not_an_amount"),
        (4, "invoice_date", "rejected", "not_a_date"),
        (4, "number", "rejected", "missing"),
        (4, "status", "rejected", "unknown_status"),
        (4, "total", "rejected", "not_an_amount"),
        (5, "amount", "rejected", "not_an_amount"),
        (5, "invoice_date", "rejected", "future"),
        (6, "", "rejected", "columns"),
        (8, "amount", "rejected", "not_an_amount"),
        (8, "invoice_date", "rejected", "not_a_date"),
        (8, "total", "rejected", "not_an_amount"),
    ]
    _heading, *lines = report_lines(done)
    assert len(lines) == 12
    assert "amount=abc" in lines[1][4]
    assert all(line[3] for line in lines)


def test_purchases_and_sales_make_margin_and_concentration(send, firms):
    send(text_of(*(f"E1,{n},2025-03-0{n},B{n},{amount},0,{amount},有效" for n, amount in ((1, 60), (2, 30), (3, 10)))))
    send(text_of("E1,1,2025-03-09,A1,40,0,40,有效", head=HEAD.replace("购", "销")), layout="purchase_invoices")

    month = InvoiceMonth.objects.get()
    assert [month.sales, month.purchases, month.margin] == [100, 40, Decimal("0.6")]
    assert [month.customers_count, month.customers_top1, month.customers_top5] == [3, Decimal("0.6"), 1]
    assert month.customers_hhi == Decimal("0.46")
    assert [month.suppliers_count, month.suppliers_hhi, month.last_invoice_date] == [1, 1, date(2025, 3, 9)]


def test_growth_seasonality_and_active_months_look_over_two_years(send, firms):
    months = [f"{2023 + m // 12}-{m % 12 + 1:02d}" for m in range(24)]
    send(text_of(*(f"E1,{n},{month}-05,B1,{amount},0,{amount},有效" for n, (month, amount) in enumerate(
        zip(months, [100] * 12 + [150] * 11 + [300], strict=True)))))  # fmt: skip

    last = InvoiceMonth.objects.get(month=date(2024, 12, 1))
    assert [last.year_sales, last.months_active] == [1950, 12]
    assert (last.growth, last.seasonality) == (Decimal("0.625"), Decimal("1.8462"))
    assert InvoiceMonth.objects.get(month=date(2024, 11, 1)).growth is None

    send(text_of("E1,900,2024-01-20,B1,150,0,150,有效"))
    assert InvoiceMonth.objects.get(month=date(2024, 12, 1)).year_sales == 2100


def test_only_touched_months_are_worked_out_anew(send):
    send(text_of(ROW, "E2,7,2025-03-04,B1,1,0,1,有效"))
    before = {m.customer_id: m.refreshed_at for m in InvoiceMonth.objects.all()}
    send(text_of("E2,8,2025-03-04,B1,1,0,1,有效"))
    after = {m.customer_id: m.refreshed_at for m in InvoiceMonth.objects.all()}
    assert sorted(before[pk] == after[pk] for pk in before) == [False, True]


def test_totals_equal_those_worked_out_apart_from_the_file(send, actor, source):
    lines = [
        f"E{n % 2 + 1},{n // 3},2025-0{n % 9 + 1}-11,B{n % 7},{n % 11 - 3}.50,0.{n % 10}0,{n % 11 - 2}.00,"
        + ("作废发票" if n % 13 == 0 else "有效发票")
        for n in range(600)
    ]
    lines += lines[10:40]
    ParameterValue.objects.create(code="import.chunk_rows", value=100, effective_date=date(2020, 1, 1))
    done = send(text_of(*lines))
    assert done.chunks_done == 7
    assert done.counts["identical"] == len(lines) - len(set(lines))

    for rule, rows in (("once", sorted(set(lines))), ("all", lines)):
        expected: dict[tuple[str, str], list[Any]] = defaultdict(lambda: [0, Decimal(0), Decimal(0), Decimal(0)])
        for row in csv.reader(rows):
            amount, tax, total = map(Decimal, row[4:7])
            group = "void" if row[7] == "作废发票" else "negative" if total < 0 else "valid"
            for name in (group, *(("net",) if group != "void" else ())):
                sums = expected[row[0], name]
                sums[0] += 1
                for place, value in enumerate((amount, tax, total), 1):
                    sums[place] += value
        got = totals(actor, source, rule)
        for (firm, group), sums in expected.items():
            row = got[firm, "sale"]
            assert [row[f"{group}_{name}"] for name in ("count", "amount", "tax", "total")] == sums, (rule, firm, group)


# --- who


def test_firms_are_known_by_uscc_too_and_only_within_reach(send, actor, firms, source, cast):
    make_customer(actor("outsider"), 7)
    done = send(text_of(ROW.replace("E1", uscc_of(2).lower()), ROW.replace("E1", uscc_of(7))))
    assert Invoice.objects.get().customer == firms[1]
    assert findings(done) == [(3, "firm", "rejected", "unknown_firm")]


def test_a_file_of_one_customer_needs_no_column_that_says_so(send, firms):
    head = HEAD.partition(",")[2]
    done = send(text_of(ROW.partition(",")[2], head=head), who="lin", customer_id=firms[0].pk)
    assert done.counts["accepted"] == 1
    assert Invoice.objects.get().customer == firms[0]


def test_who_may_send_a_file(source, firms, actor):
    for name in ("zhao", "sun", "qian", "wu", "zhou"):
        with pytest.raises((PermissionRefused, NotFound)):
            imports.receive_import(
                actor=actor(name), source_id=source.pk, layout="sales_invoices", file=Sent(text_of(ROW).encode())
            )
    with pytest.raises(NotFound):
        imports.receive_import(
            actor=actor("outsider"), source_id=source.pk, layout="sales_invoices", file=Sent(text_of(ROW).encode()),
            customer_id=firms[0].pk,
        )  # fmt: skip
    assert not RecordImport.objects.exists()


def test_firms_named_later_come_in_when_the_file_is_taken_in_again(send, actor, firms, source):
    done = send(text_of(ROW.replace("E1", "E77")))
    assert done.counts == {"rows": 1, "rejected": 1}

    told = record_sources.map_firms(
        actor=actor("he"),
        source_id=source.pk,
        firms=[
            {"code": "E77", "uscc": firms[0].uscc},
            {"code": "E78", "uscc": "x"},
            {"uscc": firms[0].uscc},
            {"code": "E79"},
        ],
    )
    assert (told["mapped"], [row["row"] for row in told["rejected"]]) == (1, [1, 2, 3])
    again = imports.repeat_import(actor=actor("he"), record_import_id=done.pk)
    imports.run_import(again.pk)
    assert RecordImport.objects.get(pk=again.pk).counts["accepted"] == 1


# --- columns


def test_columns_are_recognised_settled_by_hand_and_remembered(source, firms, actor):
    content = text_of(
        "B1,有效,1,100,13,113,2025-03-04,E1", head="谁,发票状态,No,Net Amount (CNY),VAT,Total,Date,Firm"
    ).encode()
    kept = imports.receive_import(actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(content))
    assert imports.suggested_for(kept) == {
        "firm": "Firm", "invoice_date": "Date", "amount": "Net Amount (CNY)", "tax": "VAT", "total": "Total",
        "status": "发票状态",
    }  # fmt: skip
    assert imports.preview(kept).rows == [["B1", "有效", "1", "100", "13", "113", "2025-03-04", "E1"]]
    with pytest.raises(InvalidInput) as refusal:
        imports.start_import(actor=actor("he"), record_import_id=kept.pk, mapping=imports.suggested_for(kept))
    assert "number" in refusal.value.fields["mapping"][0]
    assert "No" in refusal.value.fields["mapping"][0]
    whole = imports.suggested_for(kept) | {"number": "No", "counterparty": "谁"}
    with pytest.raises(InvalidInput):
        imports.start_import(actor=actor("he"), record_import_id=kept.pk, mapping=whole | {"tax": "No"})
    with pytest.raises(InvalidInput):
        imports.start_import(actor=actor("he"), record_import_id=kept.pk, mapping=whole | {"tax": "nothing"})

    imports.start_import(actor=actor("he"), record_import_id=kept.pk, mapping=whole)
    imports.run_import(kept.pk)

    assert Invoice.objects.get().counterparty == "B1"
    later = imports.receive_import(actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(content))
    assert imports.suggested_for(later) == whole
    with pytest.raises(WrongState):
        imports.start_import(actor=actor("he"), record_import_id=kept.pk, mapping=whole)


# --- files


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gb18030"), ("utf-16", "utf-16")],
)
def test_encodings_are_recognised(send, encoding, told):
    done = send(text_of(ROW, "E1,2,2025-03-04,恒润钢材（宁波）,1,0,1,有效发票").encode(encoding))
    assert (done.form["encoding"], done.counts["accepted"]) == (told, 2)
    assert Invoice.objects.get(number="2").counterparty == "恒润钢材（宁波）"


@pytest.mark.parametrize("mark", ["\t", ";", "|"])
def test_delimiters_are_recognised(send, mark):
    done = send(text_of(ROW, ROW.replace("1001", '"10""02"')).replace(",", mark))
    assert done.counts["accepted"] == 2
    assert set(Invoice.objects.values_list("number", flat=True)) == {"1001", '10"02'}


def test_bytes_of_no_encoding_cost_only_their_row(send):
    raw = text_of(ROW, ROW.replace("1001", "1002")).encode().replace(b"1002", b"10\xff02")
    done = send(raw)
    assert (done.counts["accepted"], findings(done)) == (1, [(3, "", "rejected", "text")])


def test_titles_above_the_headings_are_passed_over(send):
    done = send("销项发票明细\n,,,\n导出日期：2026-03-01,,\n" + text_of(ROW).replace("\n", "\r\n"))
    assert (done.counts, Invoice.objects.get().line) == ({"rows": 1, "accepted": 1}, 5)


def test_an_open_quotation_mark_is_told_and_rows_around_it_stay(send):
    lines = [ROW.replace("1001", str(n)) for n in range(3000)]
    lines[10] = lines[10].replace("B1", '"B1')
    done = send(text_of(*lines))
    assert done.counts["rejected"] == 1
    assert findings(done)[0][3] in ("quote", "columns")
    assert done.counts["accepted"] >= 10


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n", "no rows"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "no text"),
        (b"PK\x03\x04 half of it", "damaged"),
    ],
)
def test_what_is_no_table_is_refused_with_a_clear_answer(source, firms, actor, content, says):
    with pytest.raises(InvalidInput) as refusal:
        imports.receive_import(actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(content))
    assert says in str(refusal.value.detail)
    assert not RecordImport.objects.exists()


def test_wrong_columns_are_told_by_name_and_the_file_waits_for_them(source, firms, actor):
    content = b"a,b\n1,2\n"
    with pytest.raises(InvalidInput) as refusal:
        imports.receive_import(
            actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(content), start=True
        )
    assert "invoice_date" in refusal.value.detail
    kept = imports.receive_import(actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(content))
    assert kept.state == "draft"


def test_half_an_upload_is_known_by_its_digest(source, firms, actor):
    with pytest.raises(InvalidInput) as refusal:
        imports.receive_import(
            actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(text_of(ROW).encode()),
            sha256="0" * 64,
        )  # fmt: skip
    assert "SHA-256" in refusal.value.detail


def test_a_file_cut_in_the_middle_keeps_its_whole_rows(send):
    whole = text_of(ROW, ROW.replace("1001", "1002"))
    done = send(whole[:-30])
    assert (done.counts["accepted"], done.counts["rejected"]) == (1, 1)
    assert findings(done) == [(3, "", "rejected", "columns")]


def test_a_last_line_without_an_end_is_noted_for_it_may_be_cut(send):
    done = send(text_of(ROW, ROW.replace("1001", "1002"))[:-1])
    assert done.counts["accepted"] == 2
    assert findings(done) == [(3, "", "noted", "cut")]


def test_a_packed_file_cut_in_the_middle_keeps_its_whole_rows(send):
    packed = gzip.compress(text_of(*(ROW.replace("1001", str(n * 7919)) for n in range(20_000))).encode())
    done = send(packed[: len(packed) // 2])
    assert done.state == "done"
    assert done.counts["accepted"] > 1000
    assert findings(done)[-1][3] == "damaged"


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


EXCEL_ROW = ["E1", 1001, date(2025, 3, 4), "B1", 100.1, 13, 113.1, "有效发票"]


def test_excel_is_read_with_days_and_fractions_as_they_were_typed(send):
    done = send(
        workbook(
            ["标题"], HEAD.split(","), EXCEL_ROW, ["E1", "1002", "2025-03-05", "B1", 9401.71, 0.1, 9401.81, "作废发票"]
        )
    )
    assert done.counts == {"rows": 2, "accepted": 2, "void": 1}
    first, second = Invoice.objects.order_by("line")
    assert (first.number, first.invoice_date, first.amount, first.line) == (
        "1001",
        date(2025, 3, 4),
        Decimal("100.1"),
        3,
    )
    assert (second.amount, second.status) == (Decimal("9401.71"), "void")


def test_a_row_with_a_formula_is_refused_and_the_others_stay(send):
    done = send(workbook(HEAD.split(","), [*EXCEL_ROW[:6], "=E2+F2", "有效发票"], EXCEL_ROW))
    assert (done.counts["accepted"], findings(done)) == (1, [(2, "", "rejected", "formula")])


def packed_parts(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return out.getvalue()


def test_a_bomb_named_xlsx_is_not_opened(source, firms, actor):
    bomb = packed_parts(xl__worksheets__sheet1_xml=b"<row>" + b"0" * (64 * 2**20))
    assert len(bomb) < 2**20
    with pytest.raises(InvalidInput) as refusal:
        imports.receive_import(actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(bomb))
    assert "unpacks" in refusal.value.detail


def test_an_excel_file_cut_in_the_middle_is_refused(source, firms, actor):
    whole = workbook(HEAD.split(","), EXCEL_ROW)
    with pytest.raises(InvalidInput) as refusal:
        imports.receive_import(
            actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(whole[: len(whole) // 2])
        )
    assert "not sent whole" in refusal.value.detail


def test_a_sheet_that_defines_entities_gives_no_rows_of_them(source, firms, actor):
    sheet = b'<!DOCTYPE x [<!ENTITY a "aa">]><sheetData><row><c t="str"><v>&a;</v></c></row></sheetData>'
    with pytest.raises(InvalidInput):
        imports.receive_import(
            actor=actor("he"), source_id=source.pk, layout="sales_invoices",
            file=Sent(packed_parts(xl__worksheets__sheet1_xml=sheet)),
        )  # fmt: skip


def test_a_packed_bomb_is_refused_at_the_limit(source, firms, actor):
    ParameterValue.objects.create(code="import.limit_bytes", value=2**20, effective_date=date(2020, 1, 1))
    with pytest.raises(InvalidInput) as refusal:
        imports.receive_import(
            actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(gzip.compress(b"1,2\n" * 2**20))
        )
    assert "more than" in refusal.value.detail


# --- the worker


def test_a_worker_takes_up_where_the_one_before_died(source, firms, actor):
    ParameterValue.objects.create(code="import.chunk_rows", value=100, effective_date=date(2020, 1, 1))
    lines = [ROW.replace("1001", str(n // 2)) for n in range(500)]
    started = imports.receive_import(
        actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(text_of(*lines).encode()), start=True
    )
    form = Form(**started.form)
    with open_lines(path_of(started.storage_name), form) as stream:
        for chunk in range(2):
            assert imports.import_chunk(record_import_id=started.pk, chunk=chunk, stream=stream)
    with open_lines(path_of(started.storage_name), form) as stream:
        assert not imports.import_chunk(record_import_id=started.pk, chunk=1, stream=stream), "done already"
    assert RecordImport.objects.get(pk=started.pk).rows_done == 200

    assert imports.waiting_imports() == [started.pk]
    assert imports.run_import(started.pk)
    assert not imports.run_import(started.pk)

    done = RecordImport.objects.get(pk=started.pk)
    assert (done.state, done.rows_done, done.percent_done) == ("done", 500, 100)
    assert done.counts == {"rows": 500, "accepted": 250, "identical": 250}
    assert set(Invoice.objects.values_list("copies", flat=True)) == {2}


def test_a_fault_is_noted_and_the_import_tried_again_later(source, firms, actor, monkeypatch):
    started = imports.receive_import(
        actor=actor("he"), source_id=source.pk, layout="sales_invoices", file=Sent(text_of(ROW).encode()), start=True
    )
    with monkeypatch.context() as patched:
        patched.setattr(imports, "settle", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            imports.run_import(started.pk)
    broken = RecordImport.objects.get(pk=started.pk)
    assert (broken.state, broken.attempts, broken.rows_done) == ("running", 1, 1)
    assert "ZeroDivisionError" in broken.last_error
    assert imports.waiting_imports() == []

    imports.run_import(started.pk)
    assert RecordImport.objects.get(pk=started.pk).state == "done"
    assert Invoice.objects.count() == 1


def test_counts_are_shown_in_words(send):
    words = {code: number for _word, number, code in count_words(send(text_of(ROW, ROW)))}
    assert words == {"rows": 2, "accepted": 1, "identical": 1}


# --- commands


def test_a_file_comes_in_by_command_with_customers_invented_for_a_trial(cast, source, tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text(text_of(ROW.replace("E1", "E500"), ROW.replace("E1", "E501"), ROW.replace("E1", "E501")))
    report, said, totals_of = tmp_path / "report.csv", io.StringIO(), io.StringIO()
    options = {"source": "tax", "layout": "sales_invoices", "username": "he", "report": report}

    call_command("import_records", path, invent_customers="lin", stdout=said, **options)
    call_command("invoice_totals", source="tax", rule="all", stdout=totals_of)

    assert "         3  Rows read" in said.getvalue()
    assert "Identical to an earlier row" in report.read_text(encoding="utf-8-sig")
    rows = {row["firm"]: row for row in csv.DictReader(totals_of.getvalue().splitlines())}
    assert {firm: row["net_amount"] for firm, row in rows.items()} == {"E500": "100.00", "E501": "200.00"}

    call_command("import_records", path, invent_customers="lin", stdout=said, **options)
    assert FirmCode.objects.count() == 2


def test_the_bench_prints_its_ratio_and_the_memory_it_took(cast):
    said = io.StringIO()
    BenchImport(stdout=said).measure_file(2000, 1)
    assert re.search(r"ratio +\d+\.\d\d \(bound 5\)", said.getvalue())
    assert re.search(r"memory over idle +\d+\.\d MB", said.getvalue())


def test_the_peak_of_memory_is_told_from_where_it_was_forgotten():
    held = b"x" * 60_000_000
    del held
    idle = forget_peak()
    held = b"x" * 40_000_000
    del held
    assert 30 < peak_mb() - idle < 60


# --- monthly figures


def figures():
    rows = ExternalRecord.objects.filter(superseded_at=None).order_by("customer", "metric_id", "period_month")
    return [(row.metric_id, row.period_month.isoformat(), row.value) for row in rows]


def test_monthly_figures_of_many_firms_come_in_and_a_later_file_replaces(send, firms):
    head = "企业代码,指标,月份,数值（度）"
    first = send(
        text_of(
            "E1,电量,2026-01,100", "E1,水,2026年2月,3.5", f"{uscc_of(2)},参保人数,202601,12", "E1,电量,2026/1/31,110",
            "E9,电量,2026-01,1", "E1,蒸汽,2026-01,1", "E1,电量,2026-13,1", "E1,电量,2026-04,1", "E1,电量,2026-02,-1",
            head=head,
        ),
        layout="readings",
    )  # fmt: skip
    assert first.counts == {"rows": 9, "accepted": 3, "rejected": 5, "overtaken": 1}
    assert findings(first) == [
        (2, "value", "noted", "overtaken"),
        (6, "firm", "rejected", "unknown_firm"),
        (7, "metric", "rejected", "unknown_metric"),
        (8, "period_month", "rejected", "not_a_month"),
        (9, "period_month", "rejected", "future"),
        (10, "value", "rejected", "not_a_figure"),
    ]
    assert figures() == [
        ("electricity_kwh", "2026-01-01", 110), ("water_m3", "2026-02-01", Decimal("3.5")),
        ("headcount", "2026-01-01", 12),
    ]  # fmt: skip

    again = send(text_of("E1,电量,2026-01,120", "E1,水,2026-02,3.500", head=head), layout="readings")

    assert again.counts == {"rows": 2, "replaced": 1, "unchanged": 1}
    assert figures()[0] == ("electricity_kwh", "2026-01-01", 120)
    assert ExternalRecord.objects.exclude(superseded_at=None).get().value == 110
    assert {row.source_id for row in ExternalRecord.objects.all()} == {"tax"}


# --- pages and API


@pytest.fixture
def visitor(cast):
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))

    def signed_in(username):
        client = Client(headers={"accept-language": "en"})
        client.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


def test_a_file_goes_from_upload_to_report_on_the_page(visitor, source, firms):
    he = visitor("he")
    content = SimpleUploadedFile(
        "s.csv", text_of(ROW, ROW.replace("E1", "E9"), head=HEAD.replace("税额", "VT")).encode()
    )
    sent = he.post("/record-imports/create/", {"source_id": source.pk, "layout": "sales_invoices", "file": content})
    kept = RecordImport.objects.get()
    assert sent.headers["Location"] == f"/record-imports/{kept.pk}/"
    page = he.get(f"/record-imports/{kept.pk}/").content.decode()
    assert "First rows of the file" in page
    assert '<option value="发票号码" selected' in page

    settled = {f"column_{name}": heading for name, heading in imports.suggested_for(kept).items()}
    lacking = he.post(f"/record-imports/{kept.pk}/start/", settled)
    assert lacking.status_code == 422
    assert lacking.content.decode().count("Choose the heading of this column.") == 2  # beside it, and above them all
    he.post(f"/record-imports/{kept.pk}/start/", settled | {"column_tax": "VT"})
    assert 'hx-trigger="every 2s"' in he.get(f"/record-imports/{kept.pk}/").content.decode()

    imports.run_import(kept.pk)

    page = he.get(f"/record-imports/{kept.pk}/").content.decode()
    assert "No customer is known by this code." in page
    report = b"".join(he.get(f"/api/v1/record-imports/{kept.pk}/report/").streaming_content).decode("utf-8-sig")
    assert report.splitlines()[1].startswith("3,firm,rejected,No customer is known by this code.")
    assert he.get(f"/invoices/?customer={firms[0].pk}").content.decode().count("B1") >= 1
    customer = he.get(f"/customers/{firms[0].pk}/").content.decode()
    assert "100.00 of sales by invoice in the twelve months to 2025-03, 1 of them active" in customer


def test_rows_come_in_over_the_api_and_progress_and_totals_are_asked_for(cast, source, firms):
    client = APIClient()
    client.force_authenticate(User.objects.get(username="he"))
    row = dict(zip(("firm", "number", "invoice_date", "counterparty", "amount", "tax", "total", "status"),
                   ROW.split(","), strict=True))  # fmt: skip
    body = {"source_id": source.pk, "layout": "sales_invoices", "rows": [row, row, row | {"amount": None}]}
    sent = client.post("/api/v1/record-imports/", body, format="json", headers={"Idempotency-Key": "k1"})
    assert (sent.status_code, sent.json()["state"]) == (201, "running")
    assert (
        client.post("/api/v1/record-imports/", body, format="json", headers={"Idempotency-Key": "k1"}).json()["id"]
        == (sent.json()["id"])
    )
    imports.run_import(sent.json()["id"])

    told = client.get(f"/api/v1/record-imports/{sent.json()['id']}/").json()
    assert (told["state"], told["origin"], told["percent_done"]) == ("done", "api", 100)
    assert told["counts"] == {"rows": 3, "accepted": 1, "identical": 1, "rejected": 1}
    totals_told = client.get(f"/api/v1/record-sources/{source.pk}/totals/", {"rule": "all"}).json()
    assert [(line["firm"], line["net_count"], line["net_total"]) for line in totals_told] == [("E1", 2, "226.00")]
    assert client.get(f"/api/v1/record-sources/{source.pk}/totals/", {"rule": "x"}).status_code == 400


def test_an_upload_larger_than_a_body_may_be_is_read_as_a_stream(cast, source, firms, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    client = APIClient()
    client.force_authenticate(User.objects.get(username="he"))
    content = SimpleUploadedFile("s.csv", text_of(*(ROW.replace("1001", str(n)) for n in range(100))).encode())
    sent = client.post(
        "/api/v1/record-imports/",
        {"source_id": source.pk, "layout": "sales_invoices", "file": content, "start": "true"},
        format="multipart",
    )
    assert (sent.status_code, sent.json().get("state")) == (201, "running"), sent.json()
