"""One loan's life over the API, from the lead to the settled loan, and what must be refused on the way."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from secrets import randbelow
from typing import Any

from stdnum.cn import ric, uscc

from desk.walk.client import Upload
from desk.walk.walker import Walker

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
AMOUNT = "300000.00"
ABOVE_AUTHORITY = "1600000.00"
#: Electricity of the six months before the last, and of the last: a fall by nearly half.
KWH, KWH_NOW = 34000, 19000
#: The first instalment falls due a week after the release; the night after that day finds it unpaid.
NIGHTS = 9
FACTS: dict[str, Any] = {
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
    "deviation_note": "门市零售约占一成，未开票",
    "opinion": "经营稳定，三表与申报相符，同意申报",
}


class LoanLife:
    """The walk of a new firm. Every method takes the steps of one part of the life."""

    def __init__(self, walker: Walker) -> None:
        self.walker = walker
        self.serial = randbelow(10**7)
        self.name = f"试走五金制品{self.serial:07d}有限公司"

    def walk(self) -> None:
        """The whole life. Raises WalkFailed at the first step that is not answered as it must be."""
        self.win_customer()
        self.file_application()
        self.investigate()
        self.review()
        self.sign_contract()
        self.release()
        self.fall_behind()
        self.work_case()
        self.settle()

    @property
    def today(self) -> date:
        return date.fromisoformat(self.walker.get("business-days/current/")["date"])

    # --- before the loan

    def win_customer(self) -> None:
        step = self.walker.step
        lead = step(
            "lin",
            "POST",
            "leads/",
            {"name": self.name, "contact_name": "陈", "phone": f"138{self.serial:08d}", "source": "visit"},
            done=201,
        )
        path = f"leads/{lead['id']}/"
        step("lin", "POST", f"{path}contact/", {"note": "约定上门"}, watch=path)
        step("lin", "POST", f"{path}qualify/", {"wanted_amount": AMOUNT}, watch=path)
        step("lin", "POST", f"{path}convert/", self._profile(), watch=path)
        self.customer = int(self.walker.get(path)["customer"])
        customer = f"customers/{self.customer}/"
        self.walker.refused(
            "another branch's account manager reads the customer",
            "outsider",
            "GET",
            customer,
            watch=customer,
            status=404,
            problem="not-found",
        )
        step("lin", "POST", f"{customer}records/", {"records": self._meter_readings()}, watch=customer)

    def _profile(self) -> dict[str, Any]:
        body = f"91330212MA{self.serial:07d}"
        person = f"33021219800101{self.serial % 1000:03d}"
        return {
            "kind": "company",
            "name": self.name,
            "uscc": body + str(uscc.calc_check_digit(body)),
            "contact_name": "陈",
            "identity_number": person + str(ric.calc_check_digit(person + "0")),
            "phone": "13800138000",
            "address": "五金城 B 区 12 号",
            "industry": "金属制品业",
            "established_date": "2016-04-18",
            "employees": 38,
            "annual_sales": "8600000.00",
            "repayment_account": f"622202{self.serial:013d}",
        }

    def _meter_readings(self) -> list[dict[str, str]]:
        month, rows = self.today.replace(day=1), []
        for back in range(7):
            month = (month - timedelta(days=1)).replace(day=1)
            value = KWH_NOW if back == 0 else KWH
            rows.append(
                {
                    "metric": "electricity_kwh",
                    "source": "grid",
                    "period_month": month.isoformat(),
                    "value": str(value),
                }
            )
        return rows

    def _draft(self, amount: str) -> str:
        product = next(row for row in self.walker.get("products/", "lin")["results"] if row["code"] == "ST")
        application = self.walker.step(
            "lin",
            "POST",
            "applications/",
            {
                "customer_id": self.customer,
                "product_id": product["id"],
                "amount": amount,
                "instalments": 2,
                "frequency_every": 1,
                "frequency_unit": "week",
                "repayment_method": "equal_principal",
                "guarantee_mode": "credit",
                "purpose": "采购不锈钢板材",
                "stated_annual_sales": "8600000.00",
            },
            done=201,
        )
        return f"applications/{application['id']}/"

    def file_application(self) -> None:
        self.application = self._draft(AMOUNT)
        self.walker.step("lin", "POST", f"{self.application}submit/", watch=self.application)
        self.walker.refused(
            "another branch's account manager reads the file",
            "outsider",
            "GET",
            self.application,
            watch=self.application,
            status=404,
            problem="not-found",
        )

    def investigate(self) -> None:
        self._investigate(self.application)

    def _investigate(self, application: str) -> None:
        step = self.walker.step
        step("lin", "POST", f"{application}investigate/", watch=application)
        found = self.walker.first(f"investigations/?application={_id(application)}", "lin")
        path = f"investigations/{found['id']}/"
        step("lin", "PATCH", path, FACTS | {"visited_on": self.today.isoformat()}, watch=path)
        step("lin", "POST", f"{path}sign/", watch=path)
        self.walker.refused(
            "the owner signs as the second investigator",
            "lin",
            "POST",
            f"{path}sign-second/",
            watch=path,
            status=403,
            problem="permission-denied",
        )
        step("zhao", "POST", f"{path}sign-second/", watch=path)
        step("lin", "POST", f"{application}send-to-review/", watch=application)

    def _stages(self, application: str) -> tuple[str, str]:
        rows = self.walker.get(f"review-stages/?application={_id(application)}&state=waiting")["results"]
        kinds = {row["kind"]: f"review-stages/{row['id']}/" for row in rows}
        return kinds["opinion"], kinds["decision"]

    def _opinion(self, application: str) -> str:
        opinion, decision = self._stages(application)
        self.walker.step("sun", "POST", f"{opinion}claim/", watch=opinion)
        told = {"outcome": "approved", "reason": "三表与申报相符，建议同意"}
        self.walker.step("sun", "POST", f"{opinion}opinion/", told, watch=opinion)
        return decision

    def review(self) -> None:
        decision = self._opinion(self.application)
        verdict = {"outcome": "approved", "reason": "同意"}
        self.walker.step("qian", "POST", f"{decision}claim/", watch=decision)
        self.walker.refused(
            "the owner of the file approves it",
            "lin",
            "POST",
            f"{decision}decide/",
            verdict,
            watch=self.application,
            status=403,
            problem="permission-denied",
        )
        self.walker.step("qian", "POST", f"{decision}decide/", verdict, watch=self.application)
        self._above_authority()

    def _above_authority(self) -> None:
        """A second, larger file of the same customer, which Qian may not approve; it is withdrawn again."""
        larger = self._draft(ABOVE_AUTHORITY)
        self.walker.step("lin", "POST", f"{larger}submit/", watch=larger)
        self._investigate(larger)
        decision = self._opinion(larger)
        self.walker.step("qian", "POST", f"{decision}claim/", watch=decision)
        self.walker.refused(
            "an approval above the approver's authority",
            "qian",
            "POST",
            f"{decision}decide/",
            {"outcome": "approved", "reason": "同意"},
            watch=larger,
            status=403,
            problem="authority-exceeded",
        )
        self.walker.step("lin", "POST", f"{larger}withdraw/", {"reason": "客户缩小用款"}, watch=larger)

    # --- contract and money

    def sign_contract(self) -> None:
        step = self.walker.step
        step("lin", "POST", f"{self.application}accept-offer/", watch=self.application)
        contract = step("lin", "POST", f"{self.application}contract/", watch=self.application)
        self.contract = f"contracts/{contract['id']}/"
        step("lin", "POST", f"{self.contract}sign/", watch=self.contract)
        found = self.walker.first(f"facilities/?application={_id(self.application)}", "lin")
        self.facility = f"facilities/{found['id']}/"

    def release(self) -> None:
        step, refused = self.walker.step, self.walker.refused
        asked = step(
            "lin",
            "POST",
            f"{self.facility}request-drawdown/",
            {
                "amount": AMOUNT,
                "payee_name": "恒润钢材有限公司",
                "payee_account": f"622848{self.serial:013d}",
                "purpose": "采购不锈钢板材",
            },
        )
        drawdown = f"drawdowns/{asked['id']}/"
        refused(
            "a release with an open condition",
            "wu",
            "POST",
            f"{drawdown}release/",
            watch=drawdown,
            status=409,
            problem="precondition-unmet",
        )
        self._meet_conditions()
        step("wu", "POST", f"{self.facility}make-effective/", watch=self.facility)
        step("wu", "POST", f"{drawdown}check/", watch=drawdown)
        refused(
            "a release by the owner of the file",
            "lin",
            "POST",
            f"{drawdown}release/",
            watch=drawdown,
            status=403,
            problem="permission-denied",
        )
        step("wu", "POST", f"{drawdown}release/", watch=drawdown)
        self.walker.wait(drawdown, "disbursed")
        refused(
            "a second release of the same drawdown",
            "wu",
            "POST",
            f"{drawdown}release/",
            watch=drawdown,
            status=409,
            problem="wrong-state",
        )
        loan = self.walker.first(f"loans/?application={_id(self.application)}")
        self.loan = f"loans/{loan['id']}/"

    def _meet_conditions(self) -> None:
        for row in self.walker.get(f"conditions/?application={_id(self.application)}")["results"]:
            upload = Upload(
                {
                    "subject_type": "contract",
                    "subject_id": _id(self.contract),
                    "kind": "condition",
                    "title": f"{row['title']}.pdf",
                },
                "proof.pdf",
                PDF,
            )
            document = self.walker.step("lin", "POST", "attachments/", upload, watch=self.contract, done=201)
            path = f"conditions/{row['id']}/"
            self.walker.step("wu", "POST", f"{path}meet/", {"document_id": document["id"]}, watch=path)

    # --- after the release

    def fall_behind(self) -> None:
        """Nights pass: the first instalment falls due, unpaid, and electricity is down as well."""
        for _night in range(NIGHTS):
            day = self.today
            run = self.walker.step("zhou", "POST", f"business-days/{day}/close/")
            self.walker.wait(f"sweep-runs/{run['id']}/", "done")
        loan = self.walker.get(self.loan)
        if loan["days_past_due"] < 1:
            raise AssertionError(f"the loan is {loan['days_past_due']} days past due")

    def work_case(self) -> None:
        step = self.walker.step
        found = self.walker.first(f"warning-cases/?customer={self.customer}&state=open")
        case = self.case = f"warning-cases/{found['id']}/"
        signals = self.walker.get(f"signals/?customer={self.customer}")["results"]
        if {row["indicator"] for row in signals} != {"overdue", "electricity_down"}:
            raise AssertionError(f"signals: {signals}")
        he = self.walker.get("me/", "he")
        step("zhou", "POST", f"{case}assign/", {"officer_id": he["id"]}, watch=case)
        step("he", "POST", f"{case}verify/", watch=case)
        step("he", "POST", f"{case}findings/", {"findings": "主要买家推迟付款，产线照常"}, watch=case)
        step("he", "POST", f"{case}act/", {"action": "约定三日内还清逾期，缩短检查间隔"}, watch=case)

    def settle(self) -> None:
        walker = self.walker
        walker.refused(
            "a repayment booked by whoever released the money",
            "wu",
            "POST",
            f"{self.loan}repay/",
            {"amount": "1000.00", "reference": f"WALK-{self.serial}-WU"},
            watch=self.loan,
            status=403,
            problem="separation-of-duties",
        )
        first = walker.get(f"{self.loan}")["instalments"][0]
        due = str(Decimal(first["principal"]) + Decimal(first["interest"]))
        walker.step(
            "he", "POST", f"{self.loan}repay/", {"amount": due, "reference": f"WALK-{self.serial}-1"}, watch=self.loan
        )
        walker.step("he", "POST", f"{self.case}resolve/", {"reason": "逾期已还清"}, watch=self.case)
        today = {"on_date": self.today.isoformat()}
        owed = walker.step("he", "POST", f"{self.loan}payoff/", today, watch=self.loan)
        walker.step(
            "he",
            "POST",
            f"{self.loan}repay/",
            {"amount": owed["amount"], "reference": f"WALK-{self.serial}-2", "pay_off": True},
            watch=self.loan,
        )
        if walker.get(self.loan)["state"] != "settled":
            raise AssertionError("the loan is not settled")


def _id(path: str) -> str:
    """The id in `applications/12/`."""
    return path.rstrip("/").rsplit("/", 1)[1]
