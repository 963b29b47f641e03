"""One row of every thing with a life of its own, built directly so that it can be put into any state."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from approvals.models import Review, ReviewStage
from branch.models import Attachment, Office, User
from branch.models.stateful import Stateful
from customers.domain.prescreen import SHIPPED as TABLE
from customers.models import (
    Campaign,
    Cluster,
    Customer,
    ErasureRequest,
    Feed,
    Lead,
    PrescreenModel,
    PrescreenRun,
    PullRun,
    RecordImport,
    RecordSource,
    ScreeningHit,
    Suggestion,
    Watchlist,
    WatchlistEntry,
)
from loans.models import (
    Application,
    Condition,
    Contract,
    Drawdown,
    Facility,
    Investigation,
    Loan,
    LoanRequest,
    LoanTransaction,
    PostingRuleSet,
    Product,
    ProductVersion,
)
from postloan.models import CollectionCase, Inspection, Signal, ThresholdSet, WarningCase

DAY = date(2026, 3, 2)
AMOUNT = Decimal("300000.00")
RATE = Decimal("0.036000")
TERMS = {"instalments": 12, "frequency_unit": "month", "frequency_every": 1, "repayment_method": "equal_instalment"}


def build_all(head_office: Office, office: Office, owner: User) -> dict[type[Stateful], Stateful]:
    """A file with everything on it at `office`, owned by `owner`; policies stand at the head office.

    Facts that some final states ask for (a document, an outcome, nothing outstanding) are there from the start.
    """
    built: dict[type[Stateful], Stateful] = {}

    def make(model: type[Stateful], **facts: Any) -> Any:
        built[model] = model._default_manager.create(**({"office": office} | facts))
        return built[model]

    customer = Customer.objects.create(office=office, owner=owner, kind="company", name="鑫达五金", contact_name="陈")
    mine = {"owner": owner, "customer": customer}
    make(Suggestion, office=head_office, from_office=office, submitted_by=owner, title="分期", text="想按季还")
    make(
        Campaign, owner=owner, name="推广", kind="referral", budget=1, starts_on=DAY, ends_on=DAY + timedelta(days=7300)
    )
    make(Lead, owner=owner, name="鑫达五金", contact_name="陈", source="visit")
    make(PrescreenModel, office=head_office, number=1, values=TABLE, drafted_by=owner)
    cluster = make(
        Cluster, owner=owner, kind="platform", code="p", name="平台", anchor_name="平台", cap=AMOUNT, member_cap=AMOUNT,
        source=RecordSource.objects.create(office=office, code="cluster-p", name="平台"),
    )  # fmt: skip
    make(
        PrescreenRun, cluster=cluster, values={}, grade="A", member_cap=AMOUNT, started_by=owner, members_total=0,
        until_member_id=0,
    )  # fmt: skip
    feed_source = RecordSource.objects.create(office=head_office, code="grid", name="电网")
    make(PullRun, feed=Feed.objects.create(office=head_office, name="电网", source=feed_source, layout="meters"))
    make(
        RecordImport, owner=owner, source=RecordSource.objects.create(office=head_office, code="tax", name="税务"),
        layout="sales_invoices", origin="api", file_name="x.csv", storage_name="y", size_bytes=1, sha256="0" * 64,
    )  # fmt: skip
    watchlist = Watchlist.objects.create(
        office=head_office, code="court", name="名单", kind="wanted",
        source=RecordSource.objects.create(office=head_office, code="list-court", name="名单"),
    )  # fmt: skip
    entry = WatchlistEntry.objects.create(
        watchlist=watchlist, name="鑫达", name_key="鑫达", core_key="鑫达", spelling="xinda", line_key="1",
        content=1, record_import_id=built[RecordImport].pk, seen_import_id=1,
    )  # fmt: skip
    make(
        ScreeningHit, customer=customer, entry=entry, match="name", side="firm", score=100, compared="1",
        at_event="customer",
    )  # fmt: skip
    make(ErasureRequest, customer=customer, asked_on=DAY, channel="phone", recorded_by=owner)
    product = Product.objects.create(code="ST", name_zh="短期经营贷", name_en="Short-term loan", family="short_term")
    version = make(
        ProductVersion, office=head_office, product=product, number=1, drafted_by=owner, min_amount=1,
        max_amount=AMOUNT, max_term_days=365, repayment_methods=[], guarantee_modes=[], rate_floor=0, rate_cap=1,
    )  # fmt: skip
    make(PostingRuleSet, office=head_office, number=1, values={}, drafted_by=owner)
    make(ThresholdSet, office=head_office, indicator="overdue", number=1, values={}, drafted_by=owner)
    application = make(
        Application, **mine, **TERMS, number="XW-1", product_version=version, amount=AMOUNT, guarantee_mode="credit",
        purpose="采购",
    )  # fmt: skip
    file = mine | {"application": application}
    make(Investigation, **file)
    review = make(Review, **file, pass_number=1, outcome="approved")
    make(ReviewStage, review=review, application=application, customer=customer, order=1, kind="opinion")
    contract = make(
        Contract, **file, **TERMS, number="HT-1", amount=AMOUNT, annual_rate=RATE, penalty_rate=RATE,
        day_count="actual/360",
    )  # fmt: skip
    make(Condition, application=application, customer=customer, title="抵押登记", document=_document(office))
    facility = make(Facility, **file, contract=contract, limit_amount=AMOUNT, maturity_date=DAY)
    drawdown = make(
        Drawdown, **file, number="FK-1", facility=facility, amount=AMOUNT, payee_name="恒润", purpose="采购"
    )
    loan = make(
        Loan, **file, number="DK-1", drawdown=drawdown, product_family="short_term", principal=AMOUNT,
        annual_rate=RATE, penalty_rate=RATE, day_count="actual/360", start_date=DAY, maturity_date=DAY,
        outstanding_principal=0, shard_key=0,
    )  # fmt: skip
    asker = User.objects.create(username="asker")
    booked = LoanTransaction.objects.create(
        loan=loan, customer_id=customer.pk, kind="fee", reference="F-1", value_date=DAY, booked_date=DAY, amount=1
    )
    make(
        LoanRequest, **file, loan=loan, number="LR-1", kind="fee", value_date=DAY, amount=1, reason="补收",
        requested_by=asker, transaction=booked,
    )  # fmt: skip
    case = make(WarningCase, **mine, number="YJ-1", level="red", opened_on=DAY, outcome="resolved")
    lent = mine | {"loan": loan}
    make(
        Signal, **lent, indicator="overdue", level="red", value=1, threshold=0, threshold_version="1", evidence={},
        raised_on=DAY, seen_on=DAY, case=case,
    )  # fmt: skip
    make(Inspection, **lent, sequence=1, due_date=DAY)
    make(CollectionCase, **lent, number="CS-1", opened_on=DAY, outcome="paid")
    return built


def _document(office: Office) -> Attachment:
    return Attachment.objects.create(
        subject_type="condition", subject_id="1", kind="deed", title="t", media_type="application/pdf", size_bytes=1,
        sha256="0" * 64, storage_name="x", office=office,
    )  # fmt: skip
