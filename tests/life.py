"""One loan's life through the real services, a step at a time, with the named cast.

Every step finds what it works on by the life's own name, so that it can be repeated after a crash: a step that
was already done is refused by the state machine or finds its work done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from approvals.models import Authority, ReviewStage
from approvals.services import reviews
from branch.queries.business_date import business_date
from branch.services.attachments import attach
from customers.models import Customer, Lead
from customers.services import leads, records
from loans.domain.lpr_history import LPR_HISTORY
from loans.models import (
    Application,
    Condition,
    Contract,
    Drawdown,
    Facility,
    Investigation,
    Loan,
    LprRate,
    Product,
    ProductVersion,
)
from loans.queries.loans import due_today, payoff_figure
from loans.services import (
    applications,
    contracts,
    drawdowns,
    facilities,
    investigations,
    offers,
    products,
    repayments,
)
from postloan.models import Inspection, WarningCase
from postloan.services import cases, close, inspections
from tests.customers.making import register_sources

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
AMOUNT = Decimal("300000.00")

FACTS: dict[str, Any] = {
    "visited_on": date(2026, 3, 2),
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
    "electricity_kwh": Decimal("413400"),
    "sales_per_kwh": Decimal("20.10"),
    "water_m3": Decimal("3700"),
    "sales_per_m3": Decimal("2300"),
    "taxed_sales": Decimal("8400000"),
    "deviation_note": "门市零售未开票",
    "opinion": "经营稳定，同意申报",
}


def uscc(serial: int) -> str:
    """A well-formed unified social credit code (GB 32100-2015): registry, region, serial, check character."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"91330212MA{serial:07d}"
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    total = sum(alphabet.index(c) * w for c, w in zip(body, weights, strict=True))
    return body + alphabet[(31 - total % 31) % 31]


def set_up_branch(cast: SimpleNamespace) -> None:
    """A product on sale, the prime-rate table, and Qian's authority of one million."""
    LprRate.objects.bulk_create(
        LprRate(published_date=r.published_date, one_year=r.lpr_1y * 100, five_year=r.lpr_5y_plus * 100, source="NIFC")
        for r in LPR_HISTORY
    )
    product = products.create_product(
        actor=cast.actor("zhou"), code="ST", name_zh="短期经营贷", name_en="Short-term loan", family="short_term"
    )
    version = products.draft_product_version(
        actor=cast.actor("zhou"),
        product_id=product.pk,
        min_amount=Decimal("10000"),
        max_amount=Decimal("3000000"),
        max_term_days=365,
        repayment_methods=["equal_instalment", "equal_principal", "interest_only", "bullet"],
        guarantee_modes=["credit", "joint_liability", "mortgage"],
        day_count="actual/360",
        margin_bp=90,
        grade_margins_bp={"A": 0, "B": 60, "C": 120},
        rate_floor=Decimal("0.03"),
        rate_cap=Decimal("0.12"),
        required_documents=["营业执照"],
    )
    products.submit_product_version(actor=cast.actor("zhou"), product_version_id=version.pk)
    products.activate_product_version(actor=cast.actor("qian"), product_version_id=version.pk)
    Authority.objects.create(
        user=cast.qian,
        office=cast.offices.CD,
        limit_amount=Decimal("1000000"),
        effective_date=date(2020, 1, 1),
        granted_by=cast.zhou,
    )


class Life:
    """The life of the loan of the firm numbered `serial`. `actor(name)` gives the acting person.

    `terms` go over those of a file: two weekly instalments of equal principal.
    """

    def __init__(self, actor: Callable, serial: int = 1, **terms: Any) -> None:
        self.actor = actor
        self.serial = serial
        self.terms: dict[str, Any] = {"instalments": 2, "frequency_unit": "week", "frequency_every": 1} | terms
        self.name = f"梅林五金制品{serial:04d}有限公司"

    # --- what the steps work on

    @property
    def lead(self) -> Lead:
        return Lead.objects.get(name=self.name)

    @property
    def customer(self) -> Customer:
        return Customer.objects.get(uscc=uscc(self.serial))

    @property
    def application(self) -> Application:
        return Application.objects.get(customer__uscc=uscc(self.serial))

    @property
    def investigation(self) -> Investigation:
        return Investigation.objects.get(application=self.application)

    def stage(self, kind: str) -> ReviewStage:
        return ReviewStage.objects.filter(application=self.application, kind=kind).latest("id")

    @property
    def contract(self) -> Contract:
        return Contract.objects.get(application=self.application)

    @property
    def condition(self) -> Condition:
        return Condition.objects.get(application=self.application)

    @property
    def facility(self) -> Facility:
        return Facility.objects.get(application=self.application)

    @property
    def drawdown(self) -> Drawdown:
        return Drawdown.objects.get(application=self.application)

    @property
    def loan(self) -> Loan:
        return Loan.objects.get(application=self.application)

    @property
    def case(self) -> WarningCase:
        return WarningCase.objects.get(customer__uscc=uscc(self.serial))

    @property
    def inspection(self) -> Inspection:
        return Inspection.objects.get(loan=self.loan)

    # --- the steps up to the release

    def capture(self) -> None:
        leads.capture_lead(
            actor=self.actor("lin"), name=self.name, contact_name="陈", phone=f"138{self.serial:08d}", source="visit"
        )

    def contact(self) -> None:
        leads.contact_lead(actor=self.actor("lin"), lead_id=self.lead.pk)

    def qualify(self) -> None:
        leads.qualify_lead(actor=self.actor("lin"), lead_id=self.lead.pk)

    def convert(self) -> None:
        leads.convert_lead(
            actor=self.actor("lin"),
            lead_id=self.lead.pk,
            kind="company",
            name=self.name,
            uscc=uscc(self.serial),
            contact_name="陈",
            identity_number="11010519491231002X",
            phone="13800138000",
            address="五金城 B 区 12 号",
            industry="metal_products",
            established_date=date(2016, 4, 18),
            employees=38,
            annual_sales=Decimal("8600000"),
            repayment_account=f"6222{self.serial:012d}",
        )

    def receive_meter_readings(self) -> None:
        register_sources(grid="国网")
        records.receive_records(
            actor=self.actor("lin"),
            customer_id=self.customer.pk,
            records=[
                {"metric": "electricity_kwh", "source": "grid", "period_month": f"2025-{month:02d}", "value": "34000"}
                for month in range(8, 13)
            ]
            + [
                {"metric": "electricity_kwh", "source": "grid", "period_month": "2026-01", "value": "33000"},
                {"metric": "electricity_kwh", "source": "grid", "period_month": "2026-02", "value": "19000"},
            ],
        )

    def draft(self) -> None:
        version = ProductVersion.objects.get(product=Product.objects.get(code="ST"), state="active")
        applications.draft_application(
            actor=self.actor("lin"),
            customer_id=self.customer.pk,
            product_id=version.product_id,
            amount=AMOUNT,
            repayment_method="equal_principal",
            guarantee_mode="credit",
            purpose="采购不锈钢板材",
            stated_annual_sales=Decimal("8600000"),
            **self.terms,
        )

    def submit(self) -> None:
        applications.submit_application(actor=self.actor("lin"), application_id=self.application.pk)

    def start_investigation(self) -> None:
        applications.start_investigation(actor=self.actor("lin"), application_id=self.application.pk)

    def save_facts(self) -> None:
        investigations.save_investigation(actor=self.actor("lin"), investigation_id=self.investigation.pk, **FACTS)

    def sign_by_owner(self) -> None:
        investigations.sign_as_owner(actor=self.actor("lin"), investigation_id=self.investigation.pk)

    def sign_by_second(self) -> None:
        investigations.sign_as_second(actor=self.actor("zhao"), investigation_id=self.investigation.pk)

    def send_to_review(self) -> None:
        reviews.send_to_review(actor=self.actor("lin"), application_id=self.application.pk)

    def claim_opinion(self) -> None:
        reviews.claim_stage(actor=self.actor("sun"), review_stage_id=self.stage("opinion").pk)

    def give_opinion(self) -> None:
        reviews.give_opinion(
            actor=self.actor("sun"),
            review_stage_id=self.stage("opinion").pk,
            outcome="approved",
            reason="三表与申报相符",
        )

    def claim_decision(self) -> None:
        reviews.claim_stage(actor=self.actor("qian"), review_stage_id=self.stage("decision").pk)

    def decide(self) -> None:
        reviews.decide(
            actor=self.actor("qian"),
            review_stage_id=self.stage("decision").pk,
            outcome="approved",
            reason="同意",
        )

    def accept_offer(self) -> None:
        offers.accept_offer(actor=self.actor("lin"), application_id=self.application.pk)

    def generate_contract(self) -> None:
        contracts.generate_contract(actor=self.actor("lin"), application_id=self.application.pk)

    def sign_contract(self) -> None:
        contracts.sign_contract(actor=self.actor("lin"), contract_id=self.contract.pk)

    def meet_condition(self) -> None:
        document = attach(
            actor=self.actor("lin"), subject=self.contract, kind="condition", title="营业执照.pdf", upload=PDF
        )
        contracts.meet_condition(actor=self.actor("wu"), condition_id=self.condition.pk, document_id=document.pk)

    def make_effective(self) -> None:
        facilities.make_effective(actor=self.actor("wu"), facility_id=self.facility.pk)

    def request_drawdown(self) -> None:
        drawdowns.request_drawdown(
            actor=self.actor("lin"),
            facility_id=self.facility.pk,
            amount=AMOUNT,
            payee_name="恒润钢材有限公司",
            payee_account=f"6228{self.serial:012d}",
            purpose="采购不锈钢板材",
        )

    def check_drawdown(self) -> None:
        drawdowns.check_drawdown(actor=self.actor("wu"), drawdown_id=self.drawdown.pk)

    def release_drawdown(self) -> None:
        drawdowns.release_drawdown(actor=self.actor("wu"), drawdown_id=self.drawdown.pk)

    TO_RELEASE = (
        "capture",
        "contact",
        "qualify",
        "convert",
        "receive_meter_readings",
        "draft",
        "submit",
        "start_investigation",
        "save_facts",
        "sign_by_owner",
        "sign_by_second",
        "send_to_review",
        "claim_opinion",
        "give_opinion",
        "claim_decision",
        "decide",
        "accept_offer",
        "generate_contract",
        "sign_contract",
        "meet_condition",
        "make_effective",
        "request_drawdown",
        "check_drawdown",
        "release_drawdown",
    )

    # --- the steps after the money is out; the night's work itself is not among them

    def close_day(self) -> None:
        close.close_business_day(actor=self.actor("zhou"), date=business_date())

    def assign_case(self) -> None:
        officer = self.actor("he")
        cases.assign_case(actor=self.actor("zhou"), warning_case_id=self.case.pk, officer_id=officer.user_id)

    def verify_case(self) -> None:
        cases.start_verification(actor=self.actor("he"), warning_case_id=self.case.pk)

    def act_on_case(self) -> None:
        cases.record_action(
            actor=self.actor("he"),
            warning_case_id=self.case.pk,
            findings="主要买家推迟付款，产线照常",
            action="约定三日内还清逾期",
        )

    def resolve_case(self) -> None:
        cases.resolve_case(actor=self.actor("he"), warning_case_id=self.case.pk, reason="逾期已还清")

    def start_inspection(self) -> None:
        inspections.start_inspection(actor=self.actor("lin"), inspection_id=self.inspection.pk)

    def submit_inspection(self) -> None:
        inspections.submit_inspection(
            actor=self.actor("lin"),
            inspection_id=self.inspection.pk,
            funds_used_as_agreed=True,
            business_running=True,
            findings="钢材已入库，产线照常",
        )

    def accept_inspection(self) -> None:
        inspections.accept_inspection(actor=self.actor("he"), inspection_id=self.inspection.pk)

    def collect(self) -> None:
        repayments.collect_repayment(actor=self.actor("he"), loan_id=self.loan.pk)

    def repay(self) -> None:
        loan = self.loan
        repayments.book_repayment(
            actor=self.actor("he"), loan_id=loan.pk, amount=due_today(loan), reference=f"COUNTER-{self.serial}-1"
        )

    def pay_off(self) -> None:
        loan = self.loan
        repayments.book_repayment(
            actor=self.actor("he"),
            loan_id=loan.pk,
            amount=payoff_figure(loan, business_date()),
            reference=f"COUNTER-{self.serial}-2",
            pay_off=True,
        )

    #: Of a loan whose instalments fall due day by day: the first is unpaid in the third night.
    TO_SETTLEMENT = (
        *TO_RELEASE,
        "close_day",
        "assign_case",
        "verify_case",
        "close_day",
        "close_day",
        "act_on_case",
        "start_inspection",
        "submit_inspection",
        "accept_inspection",
        "collect",
        "repay",
        "resolve_case",
        "pay_off",
        "close_day",
    )

    def walk(self, until: str = "release_drawdown") -> Life:
        """Take every step up to and including `until`."""
        for step in self.TO_RELEASE:
            getattr(self, step)()
            if step == until:
                break
        return self
