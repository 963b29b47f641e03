"""Facts from outside: a file of flows from upload to chart, and a provider asked with the customer's consent."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.utils import timezone
from playwright.sync_api import Locator, expect

from customers.models import ExternalRecord, Feed, PullCall, PullRun, RecordDetail, RecordImport, RecordSource
from customers.sandbox_provider.server import ProviderServer
from customers.services import imports, pulls
from desk.demo.people import actor
from tests.browser.person import DESKTOP, PHONE, Person, Stage, id_in
from tests.customers.making import make_customer

pytestmark = pytest.mark.browser
TOKEN = "provider"


@pytest.fixture
def provider(settings: Any) -> Iterator[ProviderServer]:
    server = ProviderServer(("127.0.0.1", 0), TOKEN)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.PROVIDER_ORIGINS = [server.url]
    yield server
    server.shutdown()
    server.server_close()


def flows(uscc: str) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["城东支行 企业流水"])
    book.active.append(["信用代码", "本行账户", "交易日期", "流水号", "收入", "支出", "对方户名", "摘要"])
    for month in range(1, 3):
        book.active.append(
            [uscc, "6222020200012345678", f"2026-0{month}-05", f"F{month}", 80000 + month, 0, "海曙机电", "货款"]
        )
        book.active.append([uscc, "6222020200012345678", f"2026-0{month}-09", f"G{month}", 0, 30000, "国网", "电费"])
    book.active.append([uscc, "6222020200012345678", "2026-02-31", "X1", 1, 0, "海曙机电", "货款"])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def worker() -> None:
    """What the background would do now."""
    for run_id in pulls.running_pulls():
        PullCall.objects.filter(run_id=run_id, state="waiting").update(next_attempt_at=timezone.now())
        pulls.run_pull(run_id)
    for import_id in imports.waiting_imports():
        imports.run_import(import_id)


@pytest.mark.parametrize(("language", "viewport"), [("zh-CN", DESKTOP), ("en", PHONE)], ids=["zh-1440", "en-390"])
def test_flows_from_a_spreadsheet_to_the_customers_page(
    stage: Stage, tmp_path: Path, language: str, viewport: dict[str, int]
) -> None:
    customer = make_customer(actor("lin"))
    file = tmp_path / "flows.xlsx"
    file.write_bytes(flows(customer.uscc or ""))
    stage.language, stage.viewport = language, viewport
    he = stage("he")

    # The file is sent; its first rows are shown with what each column was taken for.
    he.open("/record-imports/")
    source = RecordSource.objects.get(code="bank")
    where = he.press("create", source_id=source.pk, layout="account_flows", file=str(file))
    page = he.page
    expect(page.locator("body")).to_contain_text("海曙机电")
    columns = page.locator("select[name=column_item]")
    assert columns.input_value() == ""  # 本行账户 is no word the layout knows: it is chosen by hand
    if viewport is DESKTOP:
        he.fill(page.locator("form").filter(has=columns), column_item="本行账户")
        with page.expect_navigation():
            page.locator("form").filter(has=columns).locator("button[type=submit]").first.click()
    else:
        # Started from the bar at the bottom: the same columns, filled in as they were recognised.
        he.press("start", column_item="本行账户")

    worker()
    he.open(where)
    he.sees_state("done")
    done = RecordImport.objects.get(pk=id_in(where))
    assert done.counts == {"rows": 5, "accepted": 4, "rejected": 1, "months": 4}
    expect(page.locator("body")).to_contain_text("2026-02-31")

    # The account manager sees the months on the customer's page, and each flow with its counterparty.
    lin = stage("lin")
    page = lin.open(f"/customers/{customer.pk}/")
    expect(page.locator("[id^='series-'] canvas").first).to_be_visible()
    lin.fits()
    page = lin.open(f"/record-details/?customer={customer.pk}&metric=account_inflow")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody")).to_contain_text("海曙机电")
    assert {detail.item for detail in RecordDetail.objects.all()} == {"5678"}


def test_a_provider_is_asked_when_the_customer_allows_it(stage: Stage, provider: ProviderServer) -> None:
    customer = make_customer(actor("lin"))
    stage.language, stage.viewport = "zh-CN", PHONE
    zhou = stage("zhou")
    set_up(zhou, provider)
    feed = Feed.objects.get(name="试用接口")

    # Without consent the file of the customer stays closed to the provider, and the page says why.
    lin = stage("lin")
    lin.open(f"/customers/{customer.pk}/")
    form = drawer(lin, "pull")
    lin.fill(form, feed_id=feed.pk)
    form.locator("button[type=submit]").click()
    expect(form.locator(".invalid-feedback, .is-invalid").first).to_be_attached()
    assert not PullRun.objects.exists()

    lin.open(f"/customers/{customer.pk}/")
    with lin.page.expect_navigation():
        lin.page.locator("#consents a[href*='/consents/create/']").click()
    form = lin.page.locator("form.action-form")
    lin.fill(
        form,
        scope="tax",
        given_by_name="林美玉",
        given_on="2026-03-02",
        expires_on="2027-03-02",
    )
    with lin.page.expect_navigation():
        form.locator("button[type=submit]").click()
    lin.open(f"/customers/{customer.pk}/")
    lin.press("pull", feed_id=feed.pk)

    # It fails once for good, stands among the dead letters, is asked again, and its figures are on the page.
    provider.failing = [404]
    worker()
    call = PullCall.objects.get(state="dead")
    he = stage("he")
    he.open(f"/pull-calls/{call.pk}/")
    he.press("replay")
    worker()
    worker()
    worker()
    assert ExternalRecord.objects.filter(customer=customer, metric_id="tax_declared").count() == 12
    lin.open(f"/customers/{customer.pk}/")
    expect(lin.page.locator("[id^='series-'] canvas").first).to_be_visible()


def drawer(person: Person, offer: str) -> Locator:
    """The form of an offered step."""
    button = person.page.locator(f"[data-offer='{offer}']").first
    if not button.is_visible():
        person.page.locator(".page-offers [data-bs-toggle=dropdown]").first.click()
    button.click()
    form = person.page.locator("#drawer-body form.action-form")
    expect(form).to_be_visible()
    return form


def set_up(zhou: Person, provider: ProviderServer) -> None:
    """A feed set up on its page."""
    page = zhou.open("/feeds/create/")
    form = page.locator("form.action-form")
    zhou.fill(
        form,
        name="试用接口",
        source_id=RecordSource.objects.get(code="tax").pk,
        layout="months",
        url=f"{provider.url}/tax?uscc={{uscc}}&until={{month}}",
        auth="bearer",
        secret=TOKEN,
        rows_path="data.rows",
        paging="next",
        paging_name="data.next",
        columns='{"period_month": "period", "metric_tax_declared": "sales.declared"}',
    )
    with page.expect_navigation():
        form.locator("button[type=submit]").click()
    zhou.fits()
    Feed.objects.update(next_run_at=timezone.now() + timedelta(days=1))
