"""An account manager and a cluster: 500 members from a spreadsheet, pre-screened before their eyes, 50 leads made."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook
from playwright.sync_api import expect

from customers.models import Cluster, ClusterMember, Lead, PrescreenRun, RecordImport
from customers.services import imports, prescreens
from tests.browser.person import DESKTOP, PHONE, Stage, id_in
from tests.customers.making import uscc_of

pytestmark = pytest.mark.browser
MEMBERS = 500


def spreadsheet(folder: Path) -> Path:
    """A list as an operator of a market would send it: a title above, headings of its own, one row nobody can use."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["五金城商户名单"])
    sheet.append(
        [
            "商户名称",
            "统一社会信用代码",
            "联系人",
            "手机",
            "角色",
            "入驻年限",
            "年交易额",
            "年销售额",
            "是否逾期",
            "摊位",
        ]
    )
    for number in range(MEMBERS):
        has_overdue, is_new = number % 5 == 0, number % 5 == 1
        sheet.append(
            [f"第{number:04d}号五金商行", uscc_of(20_000 + number), "王", f"1381{number:07d}", "商户",
             0.5 if is_new else 4, 800_000 + number, 3_000_000, "是" if has_overdue else "否", f"B{number}"]
        )  # fmt: skip
    sheet.append(["", "", "李", "", "商户", 1, 1, 1, "否", ""])
    path = folder / "商户.xlsx"
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("language", "viewport", "fit"),
    [("zh-CN", DESKTOP, "符合"), ("en", PHONE, "Fit")],
    ids=["zh-1440", "en-390"],
)
def test_five_hundred_members_become_fifty_leads(
    stage: Stage, tmp_path: Path, language: str, viewport: dict[str, int], fit: str
) -> None:
    stage.language, stage.viewport = language, viewport
    lin = stage("lin")
    page = lin.open("/clusters/")
    where = lin.press(
        "create", name="五金城商圈", code="hardware-city", kind="business_circle", anchor_name="五金城市场"
    )
    lin.press(
        "evaluate", anchor_standing="sound", anchor_years=12, members_count=MEMBERS, members_left=10,
        defaulted_members=0, years_running=8, proposed_cap="50000000", proposed_member_cap="300000",
    )  # fmt: skip
    lin.press("submit")
    sun = stage("sun")
    sun.open(where)
    sun.press("activate")
    sun.sees_state("active")

    # The spreadsheet: what its headings are is seen and settled, then the rows go in.
    lin.open(where)
    lin.press("take-in-members", file=str(spreadsheet(tmp_path)))
    expect(page.locator("table.plain-table tbody tr").first).to_contain_text("第0000号五金商行")
    expect(page.locator("select[name=column_name]")).to_have_value("商户名称")
    expect(page.locator("select[name=column_years_with_anchor]")).to_have_value("入驻年限")
    page.locator(".import-columns").locator("xpath=ancestor::form").locator("button[type=submit]").click()
    expect(page.locator("#import-progress")).to_be_visible()
    imports.run_import(RecordImport.objects.get().pk)
    expect(page.locator("#import-result")).to_contain_text("500")
    lin.fits()
    assert ClusterMember.objects.count() == MEMBERS
    page.locator(f"#import-result a[href='{where}']").click()
    expect(page.locator("#members .kpi-value").first).to_have_text("500")

    # The pre-screening, watched: the page moves as the worker does, and ends in the results without a touch.
    lin.press("prescreen")
    run = PrescreenRun.objects.get()
    progress = page.locator("#prescreen-progress")
    expect(progress.locator("h2")).to_contain_text("0 %")
    for chunk in range(3):
        prescreens.prescreen_chunk(prescreen_run_id=run.pk, chunk=chunk)
        expect(progress.locator("h2")).to_contain_text(f"{10 * (chunk + 1)} %")
        lin.fits()
    prescreens.run_prescreen(run.pk)
    page.wait_for_url(f"**/prescreen-results/?run={run.pk}*")
    lin.fits()
    expect(page.locator(".kpi", has_text=fit).first).to_contain_text("300")

    # Fifty of those that are fit, chosen by one box and made into leads by one click.
    lin.open(f"/prescreen-results/?run={run.pk}&outcome=fit&sort=-amount&per_page=50")
    page.locator("[data-choose-all]").check()
    expect(page.locator("[data-choose-count]")).to_contain_text("50")
    page.locator("[data-choose-send]").click()
    expect(page.locator("#leads-made .kpi-value").first).to_have_text("50")
    lin.fits()
    assert Lead.objects.filter(source="cluster", owner__username="lin").count() == 50
    assert ClusterMember.objects.exclude(lead=None).count() == 50
    page.locator("#leads-made table a").first.click()
    assert Lead.objects.get(pk=id_in(page.url)).cluster_member.cluster == Cluster.objects.get()
    assert stage.faults() == []
