"""A small bank with one thing in each state, at the Hardware City sub-branch and owned by `owner`.

Around it stand people who hold one role each, at the same office, above it, at the top, below it, at a sister
office and at another branch. Everything a stranger must not learn carries a mark that no page has by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import count
from typing import Any

from django.db import models
from django.db.models import F

from approvals.models import Authority, Review, ReviewStage
from branch.domain.actor import system_actor
from branch.models import (
    Attachment,
    BusinessDay,
    CalendarOverride,
    Event,
    Notification,
    Office,
    ParameterValue,
    PaymentInstruction,
    RoleAssignment,
    User,
)
from branch.queries.actors import actor_for
from branch.services.attachments import attach
from branch.services.events import record
from branch.services.file_store import store
from customers.domain.names import bigrams
from customers.domain.prescreen import SHIPPED
from customers.models import (
    Campaign,
    ChainDocument,
    Cluster,
    ClusterMember,
    Consent,
    Customer,
    CustomerMerge,
    ErasureRequest,
    ExternalRecord,
    Feed,
    Invoice,
    Lead,
    LeadVisit,
    Metric,
    Party,
    PrescreenModel,
    PrescreenResult,
    PrescreenRun,
    PullCall,
    PullRun,
    RecordDetail,
    RecordImport,
    RecordSource,
    ReferralLink,
    Relation,
    RetentionRun,
    ScreeningHit,
    Suggestion,
    SuggestionVote,
    Watchlist,
    WatchlistEntry,
)
from customers.services.intake.reading import Form
from loans.domain.ledger import Kind, MoneyEvent
from loans.domain.lpr_history import LPR_HISTORY
from loans.models import (
    AccountBalance,
    Accrual,
    Application,
    Condition,
    Contract,
    DebitFile,
    Drawdown,
    Facility,
    Investigation,
    JournalEntry,
    Loan,
    LoanEntry,
    LoanRequest,
    LoanTransaction,
    LprRate,
    PostingRuleSet,
    Product,
    ProductVersion,
    Repayment,
)
from loans.queries.ledger import rules_in_force, stored_rules
from loans.services.ledger import post
from loans.services.ledger_days import close_ledger_day
from loans.services.lending import add_instalments
from postloan.models import CollectionCase, Inspection, LoanDay, Signal, SweepRun, ThresholdSet, WarningCase
from tests.access.table import AM, AP, CO, COLUMNS, PO, ROLES, RR
from tests.life import FACTS, PDF, uscc

TODAY = date(2026, 3, 2)
#: Stands in every name, number and account of the world's things, and nowhere else.
#: Longer than chance puts into a random token of a page.
MARK = "QZXJVQ"
#: Follows the mark in what people type. Tests of how pages show text put something else here.
TYPED = ""
AMOUNT = Decimal("300000.00")

#: Position → code of the office the role is held at. Things stand at HW, those of the bank as a whole at HO.
POSITIONS = {"same": "HW", "above": "CD", "top": "HO", "below": "KD", "sister": "NS", "other": "JB"}
Grant = tuple[str, str]
_TREE = (("HO", None), ("CD", "HO"), ("HW", "CD"), ("KD", "HW"), ("NS", "CD"), ("JB", "HO"))
_KINDS = {"HO": "head_office", "CD": "branch", "JB": "branch"}
TERMS = {"instalments": 2, "frequency_unit": "month", "frequency_every": 1, "repayment_method": "bullet"}


class World:
    """Offices, people and things; `thing(plural, state)` is made when first asked for."""

    def __init__(self) -> None:
        BusinessDay.objects.create(date=TODAY)
        # The second factor is tested by itself; here nobody owes one.
        ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))
        self.offices: dict[str, Office] = {}
        for code, above in _TREE:
            parent = self.offices.get(above or "")
            office = Office.objects.create(
                code=code,
                name=f"Office {code}",
                kind=_KINDS.get(code, "sub_branch"),
                parent=parent,
            )
            office.path = f"{parent.path if parent else '/'}{office.pk}/"
            office.save()
            self.offices[code] = office
        self._serial = count(1)
        self._things: dict[tuple[str, str], Any] = {}
        self._staff: dict[tuple[Grant, ...], User] = {}
        for role in ROLES:
            for position in POSITIONS:
                self.holding((role, position))
        self.owner = self.person("owner", AM, "HW")
        self.drafter = self.person("drafter", "product_manager", "HO")
        LprRate.objects.bulk_create(
            LprRate(published_date=r.published_date, one_year=r.lpr_1y * 100, five_year=None, source="NIFC")
            for r in LPR_HISTORY
        )

    def as_made(self) -> World:
        """This world without what has been added to it since."""
        world = copy(self)
        world._things, world._staff = dict(self._things), dict(self._staff)
        return world

    # --- people

    def person(self, username: str, role: str = "", office: str = "HW", **dates: date | None) -> User:
        """A new person at an office, with at most one role there."""
        user = User.objects.create(
            username=username, password="!", display_name=f"Person {username}", office=self.offices[office]
        )
        if role:
            self.give(user, role, office, **dates)
        return user

    def give(self, user: User, role: str, office: str, **dates: date | None) -> None:
        dates = {"start_date": date(2020, 1, 1), **dates}
        RoleAssignment.objects.create(user=user, role=role, office=self.offices[office], **dates)

    def holding(self, *grants: Grant) -> User:
        """Somebody with exactly these (role, position) grants and no past; `owner` is the one who owns the things."""
        if grants == ((AM, "owner"),):
            return self.owner
        if grants not in self._staff:
            user = self.person(f"person{len(self._staff)}", office="HO")
            for role, position in grants:
                self.give(user, role, POSITIONS[position])
            self._staff[grants] = user
        return self._staff[grants]

    # --- things

    def thing(self, plural: str, state: str = "") -> Any:
        key = (plural, state)
        if key not in self._things:
            make = _MAKERS[plural]
            self._things[key] = make(self, state) if state else make(self)
        return self._things[key]

    def customer(self, **fields: Any) -> Customer:
        serial = next(self._serial)
        name = f"{MARK}{TYPED}梅林五金{serial:04d}"
        return Customer.objects.create(
            **{
                "office": self.offices["HW"],
                "owner": self.owner,
                "kind": "company",
                "name": name,
                "name_bigrams": bigrams(name),
                "uscc": uscc(serial),
                "contact_name": f"{MARK}{TYPED}陈{serial}",
                "identity_number": "11010519491231002X",
                "industry": "金属制品业",
                "phone": "13800138000",
                "address": f"{MARK}{TYPED}五金城 B 区",
                "repayment_account": f"6222{serial:012d}",
                "annual_sales": Decimal("8600000"),
                **fields,
            }
        )

    def file(self, state: str = "draft") -> Application:
        """An application; `signed` is one whose investigation both have signed."""
        if state == "signed":
            return self.investigation("signed_by_second").application
        if state in ("returned", "declined"):
            return self.investigation("closed", f"{state} after investigation").application
        state = state.removesuffix(" after investigation")
        serial = next(self._serial)
        return Application.objects.create(
            **self._whose(self.customer()),
            **TERMS,
            state=state,
            number=f"{MARK}A{serial:04d}",
            product_version=self.version,
            amount=AMOUNT,
            guarantee_mode="credit",
            purpose=f"{MARK}{TYPED}采购板材",
            stated_annual_sales=Decimal("8600000"),
            approved_amount=AMOUNT,
            approved_rate=Decimal("0.045"),
            offer_expires_date=date(2026, 6, 1),
            quote={},
        )

    @cached_property
    def version(self) -> ProductVersion:
        """On sale."""
        return self.product_version("active")

    def product_version(self, state: str = "draft") -> ProductVersion:
        serial = next(self._serial)
        product = Product.objects.create(
            code=f"P{serial}", name_zh=f"产品{serial}", name_en=f"Product {serial}", family="short_term"
        )
        return ProductVersion.objects.create(
            product=product,
            office=self.offices["HO"],
            state=state,
            number=1,
            drafted_by=self.drafter,
            active_from_date=TODAY,
            min_amount=1000,
            max_amount=3_000_000,
            max_term_days=365,
            repayment_methods=["bullet", "equal_principal"],
            guarantee_modes=["credit"],
            margin_bp=90,
            grade_margins_bp={"A": 0, "B": 60, "C": 120},
            rate_floor=Decimal("0.03"),
            rate_cap=Decimal("0.12"),
        )

    def _whose(self, customer: Customer) -> dict[str, Any]:
        return {"office": customer.office, "owner": customer.owner, "customer": customer}

    def of(self, file: Application) -> dict[str, Any]:
        return {"office": file.office, "owner": file.owner, "customer": file.customer, "application": file}

    def customer_for(self, state: str = "") -> Customer:
        """`merged` into another, `held` by somebody, or its erasure `asked` for by the owner."""
        if state == "merged":
            kept = self.customer()
            other = self.customer(uscc=None, merged_into=kept)
            CustomerMerge.objects.create(
                kept=kept, merged=other, merged_by=self.owner, merged_on=TODAY, reason="同一家"
            )
            return other
        customer = self.customer(held_on=TODAY if state == "held" else None)
        if state == "asked":
            self.erasure_request(customer=customer)
        return customer

    def erasure_request(self, state: str = "open", **of: Any) -> ErasureRequest:
        return ErasureRequest.objects.create(
            office=self.offices["HW"], state=state, asked_on=TODAY, channel="phone", note=f"{MARK}{TYPED}来电",
            recorded_by=self.owner, **(of or {"customer": self.customer()}),
        )  # fmt: skip

    def retention_run(self) -> RetentionRun:
        return RetentionRun.objects.create(business_date=date(2026, 2, 27) - timedelta(days=next(self._serial)))

    def lead(self, state: str = "new") -> Lead:
        """Beside the states of a lead, a lost one that is `held`, or whose erasure was `asked` for."""
        if state in ("held", "asked"):
            lead = self.lead("lost")
            Lead.objects.filter(pk=lead.pk).update(held_on=TODAY if state == "held" else None)
            if state == "asked":
                self.erasure_request(lead=lead)
            return Lead.objects.get(pk=lead.pk)
        serial = next(self._serial)
        return Lead.objects.create(
            office=self.offices["HW"],
            owner=self.owner,
            state=state,
            lost_on=TODAY if state == "lost" else None,
            name=f"{MARK}{TYPED}线索{serial:04d}",
            contact_name=f"{MARK}{TYPED}张",
            phone="13800138000",
            source="visit",
        )

    def cluster(self, state: str = "draft") -> Cluster:
        """Judged, and with a proposal that is not yet in force."""
        serial = next(self._serial)
        in_force = state not in ("draft", "submitted")
        return Cluster.objects.create(
            office=self.offices["HW"],
            owner=self.owner,
            state=state,
            kind="business_circle",
            code=f"c{serial}",
            name=f"{MARK}{TYPED}商圈{serial}",
            anchor_name=f"{MARK}{TYPED}市场",
            source=self.record_source(),
            anchor_standing="sound",
            anchor_years=5,
            members_count=50,
            members_left=1,
            defaulted_members=0,
            years_running=3,
            score=80,
            proposed_grade="A",
            proposed_cap=Decimal(2_000_000),
            proposed_member_cap=Decimal(200_000),
            proposed_by=self.owner,
            cap=Decimal(1_000_000) if in_force else None,
            member_cap=Decimal(100_000) if in_force else None,
        )

    def chain_document(self) -> ChainDocument:
        member = self.cluster_member()
        return ChainDocument.objects.create(
            cluster=member.cluster,
            member=member,
            kind="order",
            number=f"{MARK}PO{next(self._serial)}",
            amount=Decimal(77_000),
            open_amount=Decimal(77_000),
            issued_on=TODAY,
            record_import=member.record_import,
            line=2,
        )

    def prescreen_model(self, state: str = "draft") -> PrescreenModel:
        return PrescreenModel.objects.create(
            office=self.offices["HO"],
            state=state,
            number=next(self._serial),
            values=SHIPPED,
            drafted_by=self.drafter,
        )

    def prescreen_run(self) -> PrescreenRun:
        return PrescreenRun.objects.create(
            office=self.offices["HW"],
            cluster=self.cluster("active"),
            state="done",
            values=SHIPPED,
            grade="A",
            member_cap=1,
            started_by=self.owner,
            members_total=1,
            until_member_id=1,
        )

    def prescreen_result(self) -> PrescreenResult:
        run = self.prescreen_run()
        return PrescreenResult.objects.create(
            run=run, member=self.cluster_member(run.cluster), outcome="fit", amount=77_000
        )

    def cluster_member(self, cluster: Cluster | None = None) -> ClusterMember:
        serial = next(self._serial)
        cluster = cluster or self.thing("clusters", "active")
        return ClusterMember.objects.create(
            cluster=cluster,
            name=f"{MARK}{TYPED}成员{serial}",
            name_key=f"{MARK}成员{serial}".lower(),
            uscc=uscc(7000 + serial),
            contact_name=f"{MARK}{TYPED}王",
            phone="13800138000",
            annual_trade=Decimal(1_000_000),
            record_import=self.record_import("done"),
            line=2,
        )

    def campaign(self, state: str = "planned") -> Campaign:
        return Campaign.objects.create(
            office=self.offices["HW"],
            owner=self.owner,
            state=state,
            kind="referral",
            name=f"{MARK}{TYPED}推广{next(self._serial)}",
            budget=1000,
            starts_on=TODAY,
            ends_on=date(2030, 1, 1),
        )

    def referral_link(self) -> ReferralLink:
        serial = next(self._serial)
        return ReferralLink.objects.create(
            office=self.offices["HW"],
            owner=self.owner,
            title=f"{MARK}{TYPED}链接{serial}",
            token=f"token{serial}",
            expires_on=date(2030, 1, 1),
        )

    def suggestion(self, state: str = "new") -> Suggestion:
        """In state `voted`, everybody has voted for it."""
        suggestion = Suggestion.objects.create(
            office=self.offices["HO"],
            from_office=self.offices["HW"],
            submitted_by=self.drafter,
            state="new" if state == "voted" else state,
            title=f"{MARK}{TYPED}建议{next(self._serial)}",
            text=f"{MARK}按季还",
        )
        if state == "voted":
            votes = [SuggestionVote(suggestion=suggestion, user=user) for user in User.objects.all()]
            suggestion.votes = len(SuggestionVote.objects.bulk_create(votes))
            suggestion.save()
        return suggestion

    def lead_visit(self) -> LeadVisit:
        lead = self.thing("leads", "new")
        return LeadVisit.objects.create(
            office=lead.office, lead=lead, visitor=self.owner, visited_at=datetime(2026, 3, 1, 2, tzinfo=UTC),
            place=f"{MARK}{TYPED}五金城", outcome="interested",
        )  # fmt: skip

    def external_record(self) -> ExternalRecord:
        return ExternalRecord.objects.create(
            customer=self.customer(),
            metric_id="water_m3",
            source=self.record_source(),
            period_month=date(2026, 1, 1),
            value=77,
        )

    def record_detail(self) -> RecordDetail:
        serial = next(self._serial)
        return RecordDetail.objects.create(
            customer=self.customer(),
            metric_id="account_inflow",
            source=self.record_source(),
            item="1234",
            occurred_on=date(2026, 1, 5),
            reference=f"{MARK}{serial}",
            value=77,
            counterparty=f"{MARK}海曙机电",
            text=f"{MARK}货款",
            fact=serial,
            record_import=self.record_import(),
            line=2,
        )

    def consent(self) -> Consent:
        return Consent.objects.create(
            office=self.offices["HW"],
            customer=self.customer(),
            owner=self.owner,
            scope="tax",
            given_by_name=f"{MARK}陈",
            given_on=date(2026, 3, 1),
            expires_on=date(2027, 3, 1),
        )

    def document(self) -> Attachment:
        subject = self.customer()
        return attach(actor=system_actor(), subject=subject, kind="licence", title=f"{MARK}执照.pdf", upload=PDF)

    def feed(self) -> Feed:
        return Feed.objects.create(
            office=self.offices["HO"],
            name=f"{MARK}税务{next(self._serial)}",
            source=self.record_source(),
            layout="months",
            url="https://tax.example/returns?uscc={uscc}",
            columns={"period_month": "period", "metric_tax_paid": "paid"},
        )

    def pull_run(self) -> PullRun:
        return PullRun.objects.create(office=self.offices["HO"], feed=self.feed())

    def pull_call(self) -> PullCall:
        return PullCall.objects.create(
            run=self.pull_run(),
            office=self.offices["HW"],
            customer=self.customer(),
            state="dead",
            last_error=f"{MARK}HTTP 404",
        )

    def metric(self) -> Metric:
        return Metric.objects.create(
            code=f"m{next(self._serial)}", own_name=f"{MARK}蒸汽", places=1, roll_up="sum", words=[f"{MARK}蒸汽"]
        )

    def relation(self) -> Relation:
        customer = self.customer()
        return Relation.objects.create(
            office=customer.office,
            customer=customer,
            kind="owner",
            from_party=Party.objects.create(kind="person", name=f"{MARK}{TYPED}王"),
            to_party=Party.objects.create(kind="firm", customer=customer),
        )

    def record_source(self) -> RecordSource:
        serial = next(self._serial)
        return RecordSource.objects.create(office=self.offices["HO"], code=f"s{serial}", name=f"{MARK}税务{serial}")

    def watchlist(self) -> Watchlist:
        serial = next(self._serial)
        source = self.record_source()
        return Watchlist.objects.create(
            office=self.offices["HO"], code=f"w{serial}", name=f"{MARK}{TYPED}名单", kind="wanted", source=source
        )

    def watchlist_entry(self) -> WatchlistEntry:
        watchlist, sent = self.watchlist(), self.record_import("list done")
        return WatchlistEntry.objects.create(
            watchlist=watchlist, name=f"{MARK}{TYPED}李大", name_key=f"{MARK}李大".lower(), core_key="", spelling="",
            reason=f"{MARK}{TYPED}在逃", line_key=f"{next(self._serial):064d}", content=1, record_import=sent,
            seen_import_id=sent.pk,
        )  # fmt: skip

    def screening_hit(self, state: str = "open") -> ScreeningHit:
        """On the owner's customer; `proposed confirm` is one proposed to be the one on the list."""
        state, _blank, proposal = state.partition(" ")
        customer = self.customer()
        return ScreeningHit.objects.create(
            office=customer.office, customer=customer, entry=self.watchlist_entry(), state=state, match="name",
            side="firm", score=93, compared="0" * 64, at_event="customer", proposal=proposal or "clear",
            proposal_reason="查过", proposed_by=self.drafter, proposed_at="2026-03-02T01:00Z",
        )  # fmt: skip

    def record_import(self, state: str = "draft") -> RecordImport:
        """`list` is the file of a watchlist that waits."""
        if state.startswith("list"):
            return self._list_import("done" if state == "list done" else "draft")
        stored = store(f"{','.join(COLUMNS)}\nE1,1,2026-01-05,B1,1,0,1,valid\n".encode(), limit_bytes=1024)
        return RecordImport.objects.create(
            office=self.offices["HW"],
            owner=self.owner,
            source=self.record_source(),
            layout="sales_invoices",
            origin="api",
            file_name=f"{MARK}.csv",
            storage_name=stored.name,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            form=Form("csv", "utf-8", ",", 1, list(COLUMNS), stored.size_bytes).as_json(),
            mapping={} if state == "draft" else COLUMNS,
            state=state,
        )

    def _list_import(self, state: str) -> RecordImport:
        watchlist = self.watchlist()
        stored = store("姓名\n陈建国\n".encode(), limit_bytes=1024)
        return RecordImport.objects.create(
            office=self.offices["HW"],
            owner=self.drafter,
            source=watchlist.source,
            layout="watchlist",
            file_name=f"{MARK}.csv",
            storage_name=stored.name,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            form=Form("csv", "utf-8", ",", 1, ["姓名"], stored.size_bytes).as_json(),
            mapping={},
            state=state,
        )

    def invoice(self) -> Invoice:
        sent = self.record_import("done")
        return Invoice.objects.create(
            customer=self.customer(), source=sent.source, direction="sale", number=f"{MARK}1", counterparty=MARK,
            invoice_date=date(2026, 1, 5), amount=77, tax=0, total=77, status="valid", content=next(self._serial),
            record_import=sent, line=2, seen_import_id=sent.pk, seen_copies=1,
        )  # fmt: skip

    def investigation(self, state: str = "open", file_state: str = "investigating") -> Investigation:
        return Investigation.objects.create(**self.of(self.file(file_state)), state=state, **FACTS)

    def review(self, state: str = "open") -> Review:
        investigation = self.investigation("closed", "in_review")
        return Review.objects.create(**self.of(investigation.application), state=state, pass_number=1)

    def review_stage(self, state: str = "waiting") -> ReviewStage:
        """The opinion; `decision …` is the stage after it."""
        review = self.review()
        claimed = "claimed" in state
        stages = [
            ReviewStage.objects.create(
                review=review,
                application=review.application,
                customer=review.customer,
                office=review.office,
                order=order,
                kind=kind,
                state=state.removeprefix("decision "),
                claimed_by=self.colleagues["reviewer" if kind == "opinion" else "approver"] if claimed else None,
                opened_at="2026-03-02T01:00Z",
            )
            for order, kind in enumerate(("opinion", "decision"), start=1)
        ]
        return stages["decision" in state]

    def authority(self, user: User | None = None) -> Authority:
        return Authority.objects.create(
            user=user or self.colleagues["approver"],
            office=self.offices["HW"],
            limit_amount=Decimal("765432.00"),
            effective_date=date(2020, 1, 1),
            granted_by=self.drafter,
        )

    def contract(self, state: str = "generated") -> Contract:
        file = self.file("contracted")
        serial = next(self._serial)
        return Contract.objects.create(
            **self.of(file),
            **TERMS,
            state=state,
            number=f"{MARK}C{serial:04d}",
            amount=AMOUNT,
            annual_rate=Decimal("0.045"),
            penalty_rate=Decimal("0.0675"),
            day_count="actual/360",
        )

    def condition(self, state: str = "open") -> Condition:
        file = self.contract().application
        condition = Condition.objects.create(
            office=file.office, customer=file.customer, application=file, state=state, title=f"{MARK}{TYPED}营业执照"
        )
        self._document_of(condition)
        return condition

    def _document_of(self, condition: Condition) -> Attachment:
        return attach(actor=system_actor(), subject=condition, kind="condition", title=f"{MARK}执照.pdf", upload=PDF)

    def renewal_product(self) -> ProductVersion:
        found = ProductVersion.objects.filter(product__code="RNW").first()
        if found is None:
            found = ProductVersion.objects.get(pk=self.version.pk)
            found.pk, found._state.adding = None, True
            found.product = Product.objects.create(code="RNW", name_zh="续贷", name_en="Renewal", family="renewal")
            found.save()
        return found

    def _renewing(self, application: Application) -> None:
        """The file takes over a loan of today, so that no interest stands in the way."""
        Application.objects.filter(pk=application.pk).update(
            renews=self.loan(start_date=TODAY, maturity_date=date(2026, 5, 4)),
            renewal_statement={"lawful_business": f"{MARK}齐全", "going_concern": f"{MARK}充足"},
            product_version=self.renewal_product(),
        )

    def facility(self, state: str = "effective") -> Facility:
        if state.startswith("renewal "):
            line = self.facility(state.removeprefix("renewal "))
            self._renewing(line.application)
            return line
        contract = self.contract("signed")
        return Facility.objects.create(
            **self.of(contract.application),
            contract=contract,
            state=state,
            limit_amount=AMOUNT,
            maturity_date=date(2026, 12, 1),
        )

    def drawdown(self, state: str = "requested") -> Drawdown:
        if state.startswith("renewal "):
            drawdown = self.drawdown(state.removeprefix("renewal "))
            self._renewing(drawdown.application)
            return drawdown
        facility = self.facility()
        if state in ("disbursing", "disbursed"):
            Facility.objects.filter(pk=facility.pk).update(drawn_amount=AMOUNT)
        serial = next(self._serial)
        return Drawdown.objects.create(
            **self.of(facility.application),
            facility=facility,
            state=state,
            number=f"{MARK}D{serial:04d}",
            amount=AMOUNT,
            payee_name=f"{MARK}{TYPED}恒润钢材",
            payee_account=f"6228{serial:012d}",
            purpose=f"{MARK}{TYPED}采购",
        )

    def loan(self, state: str = "active", **dates: date) -> Loan:
        """Two monthly instalments of principal, of which the first is due today."""
        drawdown = self.drawdown("disbursed")
        contract = drawdown.facility.contract
        contract.repayment_method = "equal_principal"
        contract.save()
        serial = next(self._serial)
        owing = Decimal(0) if state == "owes nothing" else AMOUNT
        loan = Loan.objects.create(
            **self.of(drawdown.application),
            drawdown=drawdown,
            state="active" if state in ("owes nothing", "loss") else state,
            asset_class="loss" if state == "loss" else "normal",
            number=f"{MARK}L{serial:04d}",
            product_family="short_term",
            principal=AMOUNT,
            annual_rate=Decimal("0.045"),
            penalty_rate=Decimal("0.0675"),
            day_count="actual/360",
            **({"start_date": date(2026, 2, 2), "maturity_date": date(2026, 4, 2)} | dates),
            outstanding_principal=owing,
            shard_key=0,
        )
        add_instalments(loan)
        if not owing:
            loan.instalments.update(principal_paid=F("principal"), interest_paid=F("interest"))
        if state == "written_off":
            LoanEntry.objects.create(
                loan=loan,
                customer_id=loan.customer_id,
                kind="principal_written_off",
                amount=AMOUNT,
                value_date=TODAY,
            )
        return loan

    def transaction(self, loan: Loan | None = None) -> LoanTransaction:
        """A fee charged today."""
        loan = loan or self.loan()
        return LoanTransaction.objects.create(
            loan=loan,
            customer_id=loan.customer_id,
            kind="fee",
            reference=f"{MARK}T{next(self._serial)}",
            value_date=TODAY,
            booked_date=TODAY,
            amount=Decimal("80.00"),
        )

    def loan_request(self, state: str = "requested") -> LoanRequest:
        loan = self.loan()
        return LoanRequest.objects.create(
            **self._of_loan(loan),
            application=loan.application,
            loan=loan,
            state=state,
            number=f"{MARK}Q{next(self._serial)}",
            kind="fee",
            value_date=TODAY,
            amount=Decimal("80.00"),
            reason=f"{MARK}{TYPED}补收",
            requested_by=self.drafter,
        )

    def debit_file(self) -> DebitFile:
        return DebitFile.objects.create(business_date=date(2026, 2, 27), reference=f"{MARK}DF")

    def repayment(self) -> Repayment:
        loan = self.loan()
        return Repayment.objects.create(
            loan=loan,
            customer_id=loan.customer_id,
            reference=f"{MARK}R{next(self._serial)}",
            amount=Decimal("4321.00"),
            value_date=TODAY,
            channel="counter",
        )

    def payment(self, kind: str = "payout") -> PaymentInstruction:
        subject = self.drawdown("disbursing") if kind == "payout" else self.loan()
        return PaymentInstruction.objects.create(
            reference=f"{MARK}-{next(self._serial)}",
            kind=kind,
            state="sent",
            amount=AMOUNT,
            account="6228000000000001",
            account_name=f"{MARK}{TYPED}恒润",
            customer_id=subject.customer_id,
            subject_type=str(subject._meta.model_name),
            subject_id=str(subject.pk),
        )

    def prepare(self, plural: str, name: str, user: User, role: str, thing: Any) -> None:
        """The facts about the person themselves that a use case asks for beside the role."""
        if plural == "review-stages" and name != "claim" and role != "branch_manager":
            ReviewStage.objects.filter(pk=thing.pk).update(claimed_by=user)
        if name == "override":
            Authority.objects.create(
                user=user,
                office=self.offices["HO"],
                limit_amount=AMOUNT,
                effective_date=TODAY,
                granted_by=self.drafter,
            )
        if (plural, name) == ("loan-requests", "withdraw"):
            LoanRequest.objects.filter(pk=thing.pk).update(requested_by=user)
        if (plural, name) == ("product-versions", "update"):
            ProductVersion.objects.filter(pk=thing.pk).update(drafted_by=user)
        if (plural, name) == ("posting-rules", "update"):
            PostingRuleSet.objects.filter(pk=thing.pk).update(drafted_by=user)
        if (plural, name) == ("threshold-sets", "update"):
            ThresholdSet.objects.filter(pk=thing.pk).update(drafted_by=user)
        if (plural, name) == ("prescreen-models", "update"):
            PrescreenModel.objects.filter(pk=thing.pk).update(drafted_by=user)
        if (plural, name) == ("clusters", "prescreen"):
            self.cluster_member(thing)
        if plural == "warning-cases" and name not in ("assign", "reassign"):
            WarningCase.objects.filter(pk=thing.pk).update(officer=user)
        self._prepare_loan(name, thing)

    def _prepare_loan(self, name: str, thing: Any) -> None:
        """What the loan must show before collection is closed."""
        if name == "close-paid":
            thing.loan.instalments.update(due_date=date(2026, 7, 2))
        if name == "close-restructured":
            Loan.objects.filter(pk=thing.loan_id).update(restructured_date=TODAY)
        if name == "close-written-off":
            Loan.objects.filter(pk=thing.loan_id).update(state="written_off")

    # --- the books

    def journal_entry(self) -> JournalEntry:
        number = next(self._serial)
        entry = post(
            MoneyEvent.DISBURSEMENT,
            self.loan(),
            {Kind.PRINCIPAL: AMOUNT},
            value_date=TODAY,
            reference=f"{MARK}{number}",
        )
        assert entry is not None
        return entry

    def account_balance(self) -> AccountBalance:
        return AccountBalance.objects.create(
            office=self.offices["HW"], date=TODAY, family="", account=MARK, opening=0, debit=0, credit=0, closing=0
        )

    def accrual(self) -> Accrual:
        loan = self.loan()
        return Accrual.objects.create(
            loan=loan, customer_id=loan.customer_id, date=TODAY, interest=Decimal("37.50"), penalty=0
        )

    def loan_day(self) -> LoanDay:
        loan = self.loan()
        return LoanDay.objects.create(
            loan=loan,
            customer_id=loan.customer_id,
            date=TODAY,
            outstanding_principal=AMOUNT,
            overdue_amount=0,
            days_past_due=0,
            asset_class="normal",
            provision=0,
        )

    def posting_rules(self, state: str = "draft") -> PostingRuleSet:
        return PostingRuleSet.objects.create(
            office=self.offices["HO"],
            state=state,
            number=next(self._serial),
            values=stored_rules(rules_in_force(TODAY)),
            drafted_by=self.drafter,
        )

    # --- after the money is out

    def _of_loan(self, loan: Loan) -> dict[str, Any]:
        return {"office": loan.office, "owner": loan.owner, "customer": loan.customer}

    def overdue_loan(self) -> Loan:
        loan = self.loan()
        Loan.objects.filter(pk=loan.pk).update(days_past_due=9)
        return loan

    def signal(self) -> Signal:
        loan = self.overdue_loan()
        return Signal.objects.create(
            **self._of_loan(loan),
            loan=loan,
            indicator="overdue",
            level="yellow",
            value=9,
            threshold=1,
            threshold_version="overdue v0",
            evidence={"inputs": {"days_past_due": "9"}, "formula": "days_past_due"},
            raised_on=TODAY,
            seen_on=TODAY,
        )

    def warning_case(self, state: str = "open") -> WarningCase:
        return WarningCase.objects.create(
            **self._of_loan(self.overdue_loan()),
            state=state,
            number=f"{MARK}W{next(self._serial)}",
            officer=None if state == "open" else self.colleagues["officer"],
            level="yellow",
            opened_on=TODAY,
            findings="" if state in ("open", "assigned") else f"{MARK}{TYPED}用电下降",
        )

    def inspection(self, state: str = "due") -> Inspection:
        loan = self.loan()
        return Inspection.objects.create(
            **self._of_loan(loan), loan=loan, state=state, sequence=1, due_date=TODAY, findings=f"{MARK}{TYPED}正常"
        )

    def collection_case(self, state: str = "open") -> CollectionCase:
        loan = self.overdue_loan()
        return CollectionCase.objects.create(
            **self._of_loan(loan), loan=loan, state=state, number=f"{MARK}K{next(self._serial)}", opened_on=TODAY
        )

    def threshold_set(self, state: str = "draft") -> ThresholdSet:
        return ThresholdSet.objects.create(
            office=self.offices["HO"],
            state=state,
            indicator="overdue",
            number=next(self._serial),
            values={"yellow": "2", "orange": "9", "red": "40"},
            drafted_by=self.drafter,
        )

    def sweep_run(self) -> SweepRun:
        return SweepRun.objects.create(business_date=date(2026, 2, 27), state="done", started_by_name="system")

    # --- the bank itself

    def office(self) -> Office:
        """One below the sub-branch: everybody's page names the own office, so that one must not carry the mark."""
        parent, serial = self.offices["HW"], next(self._serial)
        office = Office.objects.create(
            code=f"{MARK}{serial}", name=f"{MARK}{TYPED}网点", kind="sub_branch", parent=parent
        )
        office.path = f"{parent.path}{office.pk}/"
        office.save()
        return office

    def somebody(self, state: str = "active") -> User:
        user = self.person(f"{MARK}{next(self._serial)}", CO, "HW")
        User.objects.filter(pk=user.pk).update(is_active=state == "active")
        return user

    def role_assignment(self) -> RoleAssignment:
        return RoleAssignment.objects.get(user=self.somebody())

    def parameter(self) -> ParameterValue:
        return ParameterValue.objects.create(code="offer.validity_days", value=60, effective_date=TODAY)

    def calendar_override(self) -> CalendarOverride:
        return CalendarOverride.objects.create(date=date(2026, 3, 14), is_working_day=True, reason="调休")

    def event(self) -> Event:
        return record("lead.contact", self.lead(), actor=actor_for(self.owner), before={}, after={"note": MARK})

    def notification(self) -> Notification:
        return Notification.objects.create(
            user=self.owner, kind="warning_case.assigned", params={"number": MARK}, url="/warning-cases/"
        )

    # --- what bodies name

    @cached_property
    def colleagues(self) -> dict[str, User]:
        """People at the same office whom work can be given to."""
        roles = {"colleague": AM, "reviewer": RR, "approver": AP, "officer": PO}
        return {name: self.person(name, role, "HW") for name, role in roles.items()}

    def lead_owner(self) -> int:
        """Somebody with a new lead, and others it could go to."""
        self.thing("leads", "new")
        return self.owner.pk if self.colleagues else 0

    def filled(self, body: dict[str, Any], thing: Any = None) -> dict[str, Any]:
        """A body of the table with the world's things where it names one."""
        rules = stored_rules(rules_in_force(TODAY))
        named: dict[str, Callable[[], Any]] = {
            "@customer": lambda: self.thing("customers").pk,
            "@feed": lambda: self.feed().pk,
            "@second_file": lambda: self.customer(uscc=None).pk,
            "@source": lambda: self.thing("record-sources").pk,
            "@uscc": lambda: self.thing("customers").uscc,
            "@cluster_member": lambda: [self.cluster_member(thing).pk],
            "@new_uscc": lambda: uscc(9_999_999),
            "@colleague": lambda: self.colleagues["colleague"].pk,
            "@lead_owner": self.lead_owner,
            "@approver": lambda: self.colleagues["approver"].pk,
            "@officer": lambda: self.colleagues["officer"].pk,
            "@product": lambda: self.version.product_id,
            "@renewal": lambda: self.renewal_product().product_id,
            "@office": lambda: self.offices["HW"].pk,
            "@document": lambda: Attachment.objects.get(subject_type="condition", subject_id=thing.pk).pk,
            "@loan": lambda: self.thing("loans", "active").pk,
            "@transaction": lambda: self.transaction(thing).pk,
            "@overdue": lambda: self.thing("overdue").pk,
            "@facility": lambda: Facility.objects.get(customer=thing.customer).pk,
            "@branch": lambda: self.offices["CD"].pk,
            "@loan_accounts": lambda: "\n".join(
                f"{family} {account}" for family, account in rules["loan_accounts"].items()
            ),
            "@rules": lambda: "\n".join(" ".join(row) for row in rules["rules"]),
            "@reference": lambda: f"R{next(self._serial)}",
        }
        return {k: named[v]() if isinstance(v, str) and v.startswith("@") else v for k, v in body.items()}


_MAKERS: dict[str, Callable[..., models.Model]] = {
    "leads": World.lead,
    "lead-visits": World.lead_visit,
    "campaigns": World.campaign,
    "suggestions": World.suggestion,
    "referral-links": World.referral_link,
    "clusters": World.cluster,
    "cluster-members": World.cluster_member,
    "chain-documents": World.chain_document,
    "prescreen-models": World.prescreen_model,
    "prescreen-runs": World.prescreen_run,
    "prescreen-results": World.prescreen_result,
    "customers": World.customer_for,
    "erasure-requests": World.erasure_request,
    "retention-runs": World.retention_run,
    "external-records": World.external_record,
    "record-details": World.record_detail,
    "consents": World.consent,
    "documents": World.document,
    "feeds": World.feed,
    "pulls": World.pull_run,
    "pull-calls": World.pull_call,
    "metrics": World.metric,
    "relations": World.relation,
    "record-sources": World.record_source,
    "record-imports": World.record_import,
    "watchlists": World.watchlist,
    "watchlist-entries": World.watchlist_entry,
    "screening-hits": World.screening_hit,
    "invoices": World.invoice,
    "products": lambda world: world.version.product,
    "product-versions": World.product_version,
    "applications": World.file,
    "investigations": World.investigation,
    "reviews": World.review,
    "review-stages": World.review_stage,
    "authorities": World.authority,
    "contracts": World.contract,
    "conditions": World.condition,
    "facilities": World.facility,
    "drawdowns": World.drawdown,
    "loans": World.loan,
    "repayments": World.repayment,
    "loan-transactions": World.transaction,
    "loan-requests": World.loan_request,
    "debit-files": World.debit_file,
    "payments": World.payment,
    "journal-entries": World.journal_entry,
    "account-balances": World.account_balance,
    "accruals": World.accrual,
    "loan-days": World.loan_day,
    "ledger-days": lambda world: close_ledger_day(date(2026, 2, 27)),
    "posting-rules": World.posting_rules,
    "overdue": World.overdue_loan,
    "signals": World.signal,
    "warning-cases": World.warning_case,
    "inspections": World.inspection,
    "collection-cases": World.collection_case,
    "threshold-sets": World.threshold_set,
    "sweep-runs": World.sweep_run,
    "offices": World.office,
    "people": World.somebody,
    "role-assignments": World.role_assignment,
    "parameters": World.parameter,
    "calendar": World.calendar_override,
    "events": World.event,
    "notifications": World.notification,
}
