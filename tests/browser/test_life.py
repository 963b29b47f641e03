"""The same life as over the API, with the same cast, in Chromium: in Chinese at a desk, in English on a phone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect
from stdnum.cn import uscc

from branch.models import BusinessDay, PaymentInstruction
from branch.queries.business_date import business_date
from branch.services import outbox
from loans.models import Application, Drawdown, Investigation, Loan, Product
from loans.queries.loans import payoff_figure
from loans.services import payouts
from postloan.models import SweepRun, WarningCase
from postloan.services.sweep import run_sweep_inline
from tests.browser.person import DESKTOP, PHONE, Stage, id_in

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%EOF\n"
#: The first instalment falls due after a week; the night after that day finds it unpaid.
NIGHTS = 9
NAME = "梅林五金制品有限公司"
BODY = "91330212MA2000018"
PROFILE = {
    "kind": "company",
    "uscc": BODY + uscc.calc_check_digit(BODY),
    "contact_name": "梅林",
    "identity_number": "11010519491231002X",
    "address": "五金城 B 区 12 号",
    "industry": "金属制品业",
    "established_date": "2016-04-18",
    "employees": "38",
    "annual_sales": "8,600,000.00",
    "repayment_account": "6222020200012345678",
}
FACTS = {
    "visit_place": "五金城 B 区 12 号",
    "repays_on_time": 2,
    "known_in_trade": 2,
    "family_stable": 2,
    "product_sells": 2,
    "margin_holds": 1,
    "buyers_spread": 1,
    "title_clear": 2,
    "assets_cover": 1,
    "assets_sellable": 1,
    "electricity_kwh": "413400",
    "sales_per_kwh": "20.10",
    "water_m3": "3700",
    "sales_per_m3": "2300",
    "taxed_sales": "8400000.00",
    "deviation_note": "门市零售未开票",
    "opinion": "经营稳定，同意申报",
}


@pytest.mark.parametrize(
    ("language", "viewport"), [("zh-CN", DESKTOP), ("en-US", PHONE)], ids=["chinese at a desk", "english on a phone"]
)
def test_one_loan_from_lead_to_settlement(stage: Stage, tmp_path: Path, language: str, viewport: dict) -> None:
    stage.language, stage.viewport = language, viewport
    proof = tmp_path / "营业执照.pdf"
    proof.write_bytes(PDF)

    customer = win_customer(stage)
    application = file_application(stage, customer)
    investigate(stage, application)
    review(stage, application)
    contract = sign_contract(stage, application)
    loan = release(stage, contract, proof)
    fall_behind(stage, loan)
    work_case(stage, loan)
    settle(stage, loan)

    assert stage.faults() == []


def win_customer(stage: Stage) -> str:
    lin = stage("lin")
    lin.open("/leads/")
    lin.press("create", name=NAME, contact_name="梅林", phone="13800138000", source="visit")
    lin.sees_state("new")
    lin.press("contact", note="约定上门")
    lin.press("qualify", wanted_amount="300,000.00")
    lin.press("convert", **PROFILE)
    lin.open("/customers/")
    lin.page.get_by_role("link", name=NAME).click()
    expect(lin.page.locator("h1")).to_contain_text(NAME)
    # The number itself is never on the page, only its mask.
    expect(lin.page.locator("body")).not_to_contain_text("11010519491231002X")
    return lin.page.url.removeprefix(lin.base)


def file_application(stage: Stage, customer: str) -> Application:
    lin = stage("lin")
    lin.open(customer)
    address = lin.press("apply", product_id=str(Product.objects.get(code="ST").pk))
    lin.sees_state("draft")
    lin.type_in(
        "#filing",
        amount="300000",
        instalments="2",
        frequency_unit="week",
        repayment_method="equal_principal",
        guarantee_mode="credit",
        purpose="采购不锈钢板材",
        stated_annual_sales="8600000",
    )
    lin.page.reload()
    expect(lin.page.locator("[name=amount]")).to_have_value("300,000.00")
    lin.press("submit")
    lin.sees_state("submitted")
    application = Application.objects.get(pk=id_in(address))
    assert application.amount == Decimal("300000.00")
    return application


def investigate(stage: Stage, application: Application) -> None:
    lin, zhao = stage("lin"), stage("zhao")
    lin.open(f"/applications/{application.pk}/")
    lin.press("investigate")
    address = f"/investigations/{Investigation.objects.get(application=application).pk}/"
    lin.open(address)
    lin.type_in("#visit", visited_on=business_date().isoformat(), **FACTS)
    lin.press("sign")
    lin.sees_state("signed_by_owner")
    zhao.open(address)
    zhao.press("sign-second")
    zhao.sees_state("signed_by_second")
    lin.open(f"/applications/{application.pk}/")
    lin.press("send-to-review")
    lin.sees_state("in_review")


def review(stage: Stage, application: Application) -> None:
    for username, outcome in (("sun", "opinion"), ("qian", "decide")):
        person = stage(username)
        person.open("/review-stages/?state=waiting")
        person.page.get_by_role("link", name=application.number).first.click()
        if outcome == "decide":
            person.open(f"/review-stages/{_decision(application)}/")
        person.press("claim")
        form = person.page.locator("form.review-panel")
        person.fill(form, outcome="approved", reason="三表与申报相符，同意")
        with person.page.expect_navigation():
            form.locator("button[type=submit]").click()
        person.sees_state("done")
    application.refresh_from_db()
    assert application.state == "approved"


def _decision(application: Application) -> int:
    return int(application.reviews.get().stages.get(kind="decision").pk)


def sign_contract(stage: Stage, application: Application) -> str:
    lin = stage("lin")
    lin.open(f"/applications/{application.pk}/")
    lin.press("accept-offer")
    address = lin.press("contract")
    lin.sees_state("generated")
    lin.press("sign")
    lin.sees_state("signed")
    return address


def release(stage: Stage, contract: str, proof: Path) -> Loan:
    lin, wu = stage("lin"), stage("wu")
    lin.open(contract)
    for title in ("营业执照.pdf", "购销合同.pdf"):
        lin.attach(proof, kind="condition", title=title)
    application = Application.objects.get()
    for condition, title in zip(application.conditions.order_by("pk"), ("营业执照.pdf", "购销合同.pdf"), strict=True):
        wu.open(f"/conditions/{condition.pk}/")
        wu.press("meet", document_id=title)
        wu.sees_state("met")
    facility = application.facilities.get()
    wu.open(f"/facilities/{facility.pk}/")
    wu.press("make-effective")
    lin.open(f"/facilities/{facility.pk}/")
    lin.press(
        "request-drawdown",
        amount="300,000.00",
        payee_name="恒润钢材有限公司",
        payee_account="6228480000000000018",
        purpose="采购不锈钢板材",
    )
    drawdown = Drawdown.objects.get()
    wu.open(f"/drawdowns/{drawdown.pk}/")
    wu.press("check")
    wu.press("release")
    wu.sees_state("disbursing")
    payouts.send_payout(instruction_id=PaymentInstruction.objects.get().pk)
    wu.open(f"/drawdowns/{drawdown.pk}/")
    wu.sees_state("disbursed")
    return Loan.objects.get()


def fall_behind(stage: Stage, loan: Loan) -> None:
    """Zhou closes nine days; the worker's part of each night is done here."""
    zhou = stage("zhou")
    for _night in range(NIGHTS):
        day = BusinessDay.objects.get(state="open").date
        zhou.open("/sweep-runs/")
        zhou.press("close", date=day.isoformat())
        run_sweep_inline(SweepRun.objects.get(business_date=day).pk)
    loan.refresh_from_db()
    assert loan.days_past_due == 1
    assert business_date() == loan.start_date + timedelta(days=NIGHTS)
    while waiting := outbox.waiting():
        for message in waiting:
            outbox.deliver(message)


def work_case(stage: Stage, loan: Loan) -> None:
    zhou, he = stage("zhou"), stage("he")
    case = WarningCase.objects.get(customer_id=loan.customer_id)
    zhou.open(f"/warning-cases/{case.pk}/")
    zhou.press("assign", officer_id="何")
    he.open("/")
    he.page.get_by_role("link", name=NAME).first.click()
    he.open(f"/warning-cases/{case.pk}/")
    he.press("verify")
    he.press("findings", findings="主要买家推迟付款，产线照常")
    he.press("act", action="约定三日内还清逾期")
    he.press("resolve", reason="已约定还款")
    he.sees_state("closed")


def settle(stage: Stage, loan: Loan) -> None:
    he = stage("he")
    he.open(f"/loans/{loan.pk}/")
    first = loan.instalments.get(number=1)
    he.press("repay", amount=str(first.principal + first.interest), reference="COUNTER-1")
    he.open(f"/loans/{loan.pk}/")
    owed = payoff_figure(Loan.objects.get(), business_date())
    he.press("repay", amount=str(owed), reference="COUNTER-2", pay_off=True)
    he.open(f"/loans/{loan.pk}/")
    he.sees_state("settled")
    loan.refresh_from_db()
    assert (loan.state, loan.outstanding_principal, loan.penalty_due) == ("settled", Decimal(0), Decimal(0))
