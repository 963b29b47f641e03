"""The demo branch's customers, each left at another point of a loan's life, all through the real services."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import translation
from stdnum.cn import ric, uscc

from approvals.models import ReviewStage
from approvals.services import reviews
from branch.models import PaymentInstruction
from branch.queries.business_date import business_date
from branch.services.attachments import attach
from customers.models import Customer, Lead
from customers.services import consents, leads, records
from desk.demo.people import actor
from loans.models import Application, Contract, Drawdown, Facility, Investigation, Loan, Product
from loans.queries.loans import payoff_figure
from loans.services import (
    applications,
    contracts,
    drawdowns,
    facilities,
    investigations,
    offers,
    payouts,
    repayments,
)

ONE_PAGE_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


@dataclass(frozen=True)
class Firm:
    """A firm of the demo branch and what it asks for. Amounts in yuan; `monthly_kwh` are the last seven months."""

    serial: int
    name: str
    contact: str
    industry: str
    purpose: str
    amount: Decimal
    sales: Decimal
    monthly_kwh: tuple[int, ...] = (34000, 35000, 34500, 34800, 35200, 34600, 34900)
    product: str = "ST"
    instalments: int = 12
    unit: str = "month"
    method: str = "equal_instalment"
    guarantee: str = "credit"
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def uscc(self) -> str:
        body = f"91330212MA2{self.serial:06d}"
        return body + str(uscc.calc_check_digit(body))

    @property
    def identity_number(self) -> str:
        body = f"33021219800101{self.serial:03d}"
        return body + str(ric.calc_check_digit(body + "0"))


class Story:
    """One firm's way through the branch, up to a step by name."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm

    def tell(self, until: str) -> Story:
        for name in STEPS:
            getattr(self, name)()
            if name == until:
                return self
        raise ValueError(f"there is no step {until}")

    @property
    def lead(self) -> Lead:
        return Lead.objects.get(name=self.firm.name)

    @property
    def customer(self) -> Customer:
        return Customer.objects.get(uscc=self.firm.uscc)

    @property
    def application(self) -> Application:
        return Application.objects.get(customer=self.customer)

    @property
    def investigation(self) -> Investigation:
        return Investigation.objects.get(application=self.application)

    def stage(self, kind: str) -> int:
        return ReviewStage.objects.filter(application=self.application, kind=kind).latest("id").pk

    @property
    def contract(self) -> Contract:
        return Contract.objects.get(application=self.application)

    @property
    def facility(self) -> Facility:
        return Facility.objects.get(application=self.application)

    @property
    def drawdown(self) -> Drawdown:
        return Drawdown.objects.get(application=self.application)

    @property
    def loan(self) -> Loan:
        return Loan.objects.get(application=self.application)

    def capture(self) -> None:
        leads.capture_lead(
            actor=actor("lin"),
            name=self.firm.name,
            contact_name=self.firm.contact,
            phone=f"138{self.firm.serial:08d}",
            source="visit",
            wanted_amount=self.firm.amount,
            note=self.firm.purpose,
            next_action_date=business_date() + timedelta(days=2),
        )

    def contact(self) -> None:
        leads.contact_lead(actor=actor("lin"), lead_id=self.lead.pk, note="电话联系，约定上门")

    def qualify(self) -> None:
        leads.qualify_lead(actor=actor("lin"), lead_id=self.lead.pk, note="经营满三年，有订单")

    def convert(self) -> None:
        leads.convert_lead(
            actor=actor("lin"),
            lead_id=self.lead.pk,
            kind="company",
            uscc=self.firm.uscc,
            identity_number=self.firm.identity_number,
            address="五金城 B 区 12 号",
            industry=self.firm.industry,
            established_date=date(2016, 4, 18),
            employees=38,
            annual_sales=self.firm.sales,
            repayment_account=f"622202{self.firm.serial:013d}",
        )

    def receive_records(self) -> None:
        month = business_date().replace(day=1)
        rows = []
        for kwh in reversed(self.firm.monthly_kwh):
            month = (month - timedelta(days=1)).replace(day=1)
            rows += [
                {
                    "metric": metric,
                    "source": source,
                    "period_month": month.isoformat(),
                    "value": str(value),
                }
                for metric, source, value in (
                    ("electricity_kwh", "grid", kwh),
                    ("water_m3", "water", kwh // 110),
                    ("tax_declared", "tax", self.firm.sales * Decimal("0.96") // 12),
                )
            ]
        records.receive_records(actor=actor("lin"), customer_id=self.customer.pk, records=rows)
        today = business_date()
        consents.record_consent(
            actor=actor("lin"),
            customer_id=self.customer.pk,
            scope="tax",
            given_by_name=self.firm.contact,
            given_on=today,
            expires_on=today + timedelta(days=365),
        )

    def draft(self) -> None:
        applications.draft_application(
            actor=actor("lin"),
            customer_id=self.customer.pk,
            product_id=Product.objects.get(code=self.firm.product).pk,
            amount=self.firm.amount,
            instalments=self.firm.instalments,
            frequency_unit=self.firm.unit,
            frequency_every=1,
            repayment_method=self.firm.method,
            guarantee_mode=self.firm.guarantee,
            purpose=self.firm.purpose,
            stated_annual_sales=self.firm.sales,
        )

    def submit(self) -> None:
        applications.submit_application(actor=actor("lin"), application_id=self.application.pk)

    def start_investigation(self) -> None:
        applications.start_investigation(actor=actor("lin"), application_id=self.application.pk)

    def save_facts(self) -> None:
        sales = self.firm.sales
        facts: dict[str, Any] = {
            "visited_on": business_date(),
            "visit_place": "五金城 B 区 12 号",
            "visit_latitude": Decimal("29.882300"),
            "visit_longitude": Decimal("121.551700"),
            "repays_on_time": 2,
            "known_in_trade": 2,
            "family_stable": 2,
            "product_sells": 2,
            "margin_holds": 1,
            "buyers_spread": 1,
            "title_clear": 2,
            "assets_cover": 1,
            "assets_sellable": 1,
            "electricity_kwh": Decimal(413400),
            "sales_per_kwh": (sales * Decimal("0.87") / 413400).quantize(Decimal("0.0001")),
            "water_m3": Decimal(3700),
            "sales_per_m3": (sales * Decimal("0.96") / 3700).quantize(Decimal("0.0001")),
            "taxed_sales": (sales * Decimal("0.956")).quantize(Decimal("0.01")),
            "deviation_note": "7–8 月电镀线改造停产 19 天，期间外购件出货，有检修单与外购发票。",
            "opinion": "主营门窗五金九年，在手订单排至六月，用水与开票同申报相符，同意申报。",
        }
        investigations.save_investigation(
            actor=actor("lin"), investigation_id=self.investigation.pk, **(facts | self.firm.extra)
        )

    def sign_by_owner(self) -> None:
        investigations.sign_as_owner(actor=actor("lin"), investigation_id=self.investigation.pk)

    def sign_by_second(self) -> None:
        investigations.sign_as_second(actor=actor("zhao"), investigation_id=self.investigation.pk)

    def send_to_review(self) -> None:
        reviews.send_to_review(actor=actor("lin"), application_id=self.application.pk)

    def give_opinion(self) -> None:
        reviews.claim_stage(actor=actor("sun"), review_stage_id=self.stage("opinion"))
        reviews.give_opinion(
            actor=actor("sun"),
            review_stage_id=self.stage("opinion"),
            outcome="approved",
            amount=self.firm.amount,
            conditions=["销售回款归集我行不低于 70%"],
            reason="开票、用水与申报相符，用电下降有检修单可证，建议附条件同意。",
        )

    def decide(self) -> None:
        reviews.claim_stage(actor=actor("qian"), review_stage_id=self.stage("decision"))
        reviews.decide(
            actor=actor("qian"), review_stage_id=self.stage("decision"), outcome="approved", reason="同意，按条件放款。"
        )

    def accept_offer(self) -> None:
        offers.accept_offer(actor=actor("lin"), application_id=self.application.pk)

    def generate_contract(self) -> None:
        contracts.generate_contract(actor=actor("lin"), application_id=self.application.pk)

    def sign_contract(self) -> None:
        contracts.sign_contract(actor=actor("lin"), contract_id=self.contract.pk)

    def meet_conditions(self) -> None:
        for condition in self.application.conditions.order_by("pk"):
            document = attach(
                actor=actor("lin"),
                subject=self.contract,
                kind="condition",
                title=f"{condition.title}.pdf",
                upload=ONE_PAGE_PDF,
            )
            contracts.meet_condition(actor=actor("wu"), condition_id=condition.pk, document_id=document.pk)

    def make_effective(self) -> None:
        facilities.make_effective(actor=actor("wu"), facility_id=self.facility.pk)

    def request_drawdown(self) -> None:
        drawdowns.request_drawdown(
            actor=actor("lin"),
            facility_id=self.facility.pk,
            amount=self.firm.amount,
            payee_name="恒润钢材有限公司",
            payee_account=f"622848{self.firm.serial:013d}",
            purpose=self.firm.purpose,
        )

    def release(self) -> None:
        drawdowns.check_drawdown(actor=actor("wu"), drawdown_id=self.drawdown.pk)
        drawdowns.release_drawdown(actor=actor("wu"), drawdown_id=self.drawdown.pk)

    def pay_out(self) -> None:
        """What a worker does after the release; nothing is lost if the bank does not answer now."""
        instruction = PaymentInstruction.objects.filter(
            subject_type="drawdown", subject_id=str(self.drawdown.pk), state="created"
        ).first()
        if instruction is not None:
            payouts.send_payout(instruction_id=instruction.pk)

    def pay_off(self) -> None:
        """Not a step of every story: the whole loan is repaid and settled."""
        owed = payoff_figure(self.loan, business_date())
        repayments.book_repayment(
            actor=actor("he"),
            loan_id=self.loan.pk,
            amount=owed,
            reference=f"DEMO-{self.firm.serial}",
            pay_off=True,
        )


STEPS = (
    "capture", "contact", "qualify", "convert", "receive_records", "draft", "submit", "start_investigation",
    "save_facts", "sign_by_owner", "sign_by_second", "send_to_review", "give_opinion", "decide", "accept_offer",
    "generate_contract", "sign_contract", "meet_conditions", "make_effective", "request_drawdown", "release",
    "pay_out",
)  # fmt: skip

_D = Decimal
#: Loans that are out before the trial begins, so that the nights have something to find.
RUNNING = (
    Firm(1, "永丰冲压件有限公司", "陈永丰", "金属制品业", "采购冷轧板", _D("600000"), _D("9600000"),
         (34000, 35000, 34500, 34800, 35200, 34600, 23900), unit="week", instalments=8),
    Firm(2, "兴隆建材经营部", "吕兴隆", "批发业", "备货水泥砂石", _D("180000"), _D("4200000"), unit="week",
         instalments=6, method="equal_principal"),
    Firm(3, "河东汽配店", "马河东", "零售业", "采购轮胎机油", _D("300000"), _D("5100000")),
    Firm(4, "海泰食品有限公司", "范海泰", "食品制造业", "采购面粉油脂", _D("500000"), _D("8800000"),
         method="interest_only"),
)  # fmt: skip
#: Firms on their way: how far each has come.
ON_THE_WAY: tuple[tuple[Firm, str], ...] = (
    (Firm(11, "城南水产行", "祝城南", "批发业", "旺季囤货", _D("200000"), _D("3600000")), "capture"),
    (Firm(12, "永泰塑料厂", "康永泰", "塑料制品业", "更换注塑机", _D("350000"), _D("6400000")), "contact"),
    (Firm(13, "凤林包装有限公司", "凤林", "印刷业", "采购纸板", _D("450000"), _D("7200000")), "convert"),
    (Firm(14, "南门豆制品坊", "豆南门", "食品制造业", "扩建车间", _D("150000"), _D("2600000")), "draft"),
    (Firm(15, "老码头餐饮有限公司", "罗马头", "餐饮业", "装修二店", _D("260000"), _D("4800000")), "save_facts"),
    (Firm(16, "运河灯具厂", "苏运河", "电气机械", "采购铝材", _D("380000"), _D("6900000")), "sign_by_owner"),
    (Firm(17, "宏发五金店", "洪发", "零售业", "春节备货", _D("120000"), _D("2200000")), "send_to_review"),
    (Firm(18, "梅林五金制品有限公司", "梅林", "金属制品业", "采购不锈钢板材", _D("800000"), _D("9600000"),
          guarantee="mortgage"), "give_opinion"),
    (Firm(19, "江南纺织有限公司", "江南", "纺织业", "采购棉纱", _D("1600000"), _D("18000000"),
          guarantee="mortgage"), "give_opinion"),
    (Firm(20, "北桥木业有限公司", "乔木", "家具制造业", "采购板材", _D("420000"), _D("7700000")), "decide"),
    (Firm(21, "东湖印务有限公司", "胡东", "印刷业", "更新胶印机", _D("520000"), _D("8100000")), "sign_contract"),
    (Firm(22, "西街粮油商行", "席杰", "批发业", "收购稻谷", _D("240000"), _D("5200000")), "request_drawdown"),
)  # fmt: skip


def tell_running(close_day: Callable[[], None], days: int) -> None:
    """Pay the running loans out and let `days` nights pass; the second firm pays in time, the first does not."""
    with translation.override("zh-hans"):
        stories = [Story(firm).tell("pay_out") for firm in RUNNING]
        for night in range(days):
            if night == 7:
                _pay_what_is_due(stories[1:2])
            close_day()


def _pay_what_is_due(stories: Iterable[Story]) -> None:
    for story in stories:
        due = story.loan.instalments.order_by("number").first()
        if due is not None:
            repayments.book_repayment(
                actor=actor("he"),
                loan_id=story.loan.pk,
                amount=due.principal + due.interest,
                reference=f"DEMO-{story.firm.serial}-1",
            )


def tell_on_the_way() -> None:
    """Bring the other firms as far as they have come."""
    with translation.override("zh-hans"):
        for firm, until in ON_THE_WAY:
            Story(firm).tell(until)
