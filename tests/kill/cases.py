"""Every use case the life itself does not go through: where it starts, what must be true first, and the call.

A new use case without a line here, and no part of the life or of a payment's trouble, fails test_failpoints.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from approvals.models import Authority
from approvals.services import authorities, reviews
from branch.domain.actor import system_actor
from branch.models import Attachment, Notification, Office, RoleAssignment, User
from branch.rail import PaymentAnswer
from branch.services import attachments, notifications, offices, sessions, staff
from branch.services.business_day import open_first_day
from branch.services.calendar import set_calendar_override
from branch.services.file_store import path_of
from branch.services.parameters import set_parameter
from customers.domain.prescreen import SHIPPED as TABLE
from customers.models import (
    Campaign,
    Cluster,
    ClusterMember,
    Consent,
    Customer,
    ErasureRequest,
    Feed,
    Lead,
    Metric,
    PrescreenModel,
    PrescreenRun,
    PullCall,
    PullRun,
    RecordImport,
    RecordSource,
    ReferralLink,
    Relation,
    RetentionRun,
    ScreeningHit,
    ScreeningRun,
    Suggestion,
    Watchlist,
)
from customers.services import (
    campaigns,
    clusters,
    consents,
    customers,
    feeds,
    imports,
    lead_lists,
    leads,
    merges,
    metrics,
    prescreen_models,
    prescreens,
    pulls,
    record_sources,
    records,
    referrals,
    relations,
    retention,
    retention_nights,
    screening,
    screening_hits,
    screening_runs,
    suggestions,
    visits,
    watchlists,
)
from customers.services.intake.reading import Form, open_lines
from customers.services.providers import Answer
from loans.domain.ledger import SHIPPED
from loans.models import (
    Application,
    Contract,
    DebitFile,
    DebitRow,
    Drawdown,
    Facility,
    Instalment,
    Loan,
    LoanRequest,
    LoanTransaction,
    PostingRuleSet,
    Product,
    ProductVersion,
)
from loans.queries.ledger import stored_rules
from loans.services import (
    applications,
    contracts,
    debit_files,
    drawdowns,
    facilities,
    investigations,
    loan_requests,
    payees,
    posting_rules,
    prime_rates,
    products,
    renewals,
    repayments,
    write_offs,
)
from loans.services.repricing import reprice_loan
from postloan.models import CollectionCase, ThresholdSet
from postloan.services import cases as warning_cases
from postloan.services import collection, inspections, thresholds
from postloan.services.steps.held_money import held_money
from postloan.services.steps.part import Part
from tests.customers.making import register_sources
from tests.kill.child import actor, keyed, life
from tests.life import uscc

OPENING = date(2026, 3, 2)
PASSWORD = "three-red-lanterns"
OFFER: dict[str, Any] = {"margin_bp": 95}
KWH = {"metric": "electricity_kwh", "source": "grid", "period_month": "2026-01", "value": "32000"}


@dataclass(frozen=True)
class Case:
    """`after` names the step of the life it starts from; `call` is the use case, `given` comes before it.

    What people do comes with an Idempotency-Key; what only the system does has `is_keyed` off.
    """

    after: str
    call: Callable[[], object]
    given: Callable[[], object] = lambda: None
    is_keyed: bool = True


# --- people and places


def user(username: str) -> int:
    return User.objects.get(username=username).pk


def office(code: str) -> int:
    return Office.objects.get(code=code).pk


def hire(username: str, role: str, code: str) -> None:
    """Somebody new with a role since long ago."""
    person = User.objects.create_user(username, office_id=office(code), display_name=username)
    RoleAssignment.objects.create(user=person, role=role, office_id=office(code), start_date=date(2020, 1, 1))


def head() -> Any:
    """A second administrator at the head office: nobody looks after themselves."""
    if not User.objects.filter(username="root").exists():
        hire("root", "administrator", "HO")
    return actor("root")


def lin() -> Any:
    return actor("lin")


def he() -> Any:
    return actor("he")


# --- what comes before some of them


def lose_lead() -> object:
    return leads.lose_lead(actor=lin(), lead_id=life().lead.pk, reason="利率高")


def stage(kind: str) -> int:
    return life().stage(kind).pk


def opine(outcome: str) -> object:
    return reviews.give_opinion(actor=actor("sun"), review_stage_id=stage("opinion"), outcome=outcome, reason="补流水")


def decline() -> object:
    return reviews.decide(actor=actor("qian"), review_stage_id=stage("decision"), outcome="declined", reason="负债过高")


def decline_before_zhou() -> None:
    decline()
    Authority.objects.create(
        user_id=user("zhou"),
        office_id=office("CD"),
        limit_amount=Decimal(1000000),
        effective_date=OPENING,
        granted_by_id=user("qian"),
    )


def freeze() -> object:
    return facilities.freeze_facility(actor=he(), facility_id=life().facility.pk, reason="电量下滑")


def mature() -> object:
    line = life().facility
    return facilities.mature_facility(facility_id=line.pk, on_date=line.maturity_date)


def pay_everything() -> None:
    for row in Instalment.objects.filter(loan=life().loan):
        Instalment.objects.filter(pk=row.pk).update(principal_paid=row.principal, interest_paid=row.interest)


def owe_nothing() -> None:
    pay_everything()
    Loan.objects.filter(pk=life().loan.pk).update(outstanding_principal=0)


def pay_early() -> object:
    return repayments.book_repayment(actor=he(), loan_id=life().loan.pk, amount=Decimal(1000), reference="EARLY")


def asking(name: str, **facts: Any) -> Callable[[], object]:
    """He asks for something on the loan."""
    service = getattr(loan_requests, f"request_{name}")
    return lambda: service(actor=he(), loan_id=life().loan.pk, reason="按客户申请", **facts)


def ask_for_reversal() -> object:
    row = LoanTransaction.objects.get(reference="EARLY")
    return loan_requests.request_reversal(actor=he(), loan_id=life().loan.pk, transaction_id=row.pk, reason="入错账户")


def asked_for() -> int:
    return LoanRequest.objects.latest("pk").pk


def confirm() -> object:
    return loan_requests.confirm_loan_request(actor=actor("zhou"), loan_request_id=asked_for())


def be_a_loss() -> None:
    Loan.objects.filter(pk=life().loan.pk).update(asset_class="loss")


def sell_renewals() -> int:
    """A product of the family, on sale on the terms of the one there is."""
    product, is_new = Product.objects.get_or_create(
        code="RN", defaults={"name_zh": "续贷", "name_en": "Renewal", "family": "renewal"}
    )
    if is_new:
        version = ProductVersion.objects.get(product__code="ST", state="active")
        version.pk, version._state.adding, version.product = None, True, product
        version.save()
    return product.pk


def apply_for_renewal() -> object:
    return renewals.apply_for_renewal(
        actor=lin(), loan_id=life().loan.pk, product_id=sell_renewals(), instalments=4,
        lawful_business="证照齐全", going_concern="订单充足",
    )  # fmt: skip


def sign_renewal() -> None:
    """The file decided and its contract signed, whatever came between."""
    application = Application.objects.exclude(renews=None).get()
    Application.objects.filter(pk=application.pk).update(state="contracted", approved_amount=application.amount)
    signed = Contract.objects.get(application__renews=None)
    signed.pk, signed._state.adding, signed.number = None, True, "HT-2026-000900"
    signed.application_id, signed.amount = application.pk, application.amount
    signed.save()
    facilities.open_facility(actor=lin(), contract_id=signed.pk)


def make_debits() -> object:
    return debit_files.make_debit_file(actor=he())


def debit_file() -> int:
    return DebitFile.objects.get().pk


def send_debits() -> None:
    debit_files.note_file_sent(file_id=debit_file())


def debit_row() -> DebitRow:
    return DebitRow.objects.select_related("instruction").get()


def set_debit_aside() -> None:
    debit_files.set_row_aside(row_id=debit_row().pk, reason="行内挂账")


def open_collection() -> object:
    return collection.open_collection(actor=he(), loan_id=life().loan.pk, note="三次未接")


def collecting() -> int:
    return CollectionCase.objects.get().pk


def contact_borrower() -> object:
    return collection.contact_borrower(actor=he(), collection_case_id=collecting(), note="本人接听")


def promise() -> object:
    return collection.record_promise(
        actor=he(), collection_case_id=collecting(), amount=Decimal(500), promised_date=date(2026, 4, 1)
    )


def in_order(*steps: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for step in steps:
            step()

    return run


def in_collection(**loan: Any) -> Callable[[], None]:
    """A loan in collection, with columns of it set."""
    return in_order(open_collection, lambda: Loan.objects.filter(pk=life().loan.pk).update(**loan))


def product() -> Product:
    return Product.objects.get(code="ST")


def draft_version() -> object:
    return products.draft_product_version(actor=actor("zhou"), product_id=product().pk, **OFFER)


def submit_version() -> object:
    return products.submit_product_version(actor=actor("zhou"), product_version_id=version())


def version() -> int:
    return ProductVersion.objects.latest("id").pk


def draft_thresholds() -> object:
    return thresholds.draft_threshold_set(actor=actor("zhou"), indicator="overdue", values={"red": "3"})


def submit_thresholds() -> object:
    return thresholds.submit_threshold_set(actor=actor("zhou"), threshold_set_id=threshold_set())


def threshold_set() -> int:
    return ThresholdSet.objects.latest("id").pk


def own_rules(*more: list[str]) -> dict[str, Any]:
    """The rules as shipped, with these besides."""
    values = stored_rules(SHIPPED)
    return values | {"rules": [*values["rules"], *more]}


def draft_rules() -> object:
    return posting_rules.draft_posting_rules(actor=actor("zhou"), values=own_rules())


def submit_rules() -> object:
    return posting_rules.submit_posting_rules(actor=actor("zhou"), posting_rule_set_id=rule_set())


def rule_set() -> int:
    return PostingRuleSet.objects.latest("id").pk


def told(username: str) -> int:
    return Notification.objects.filter(user__username=username).latest("id").pk


def send_back() -> object:
    return inspections.send_back_inspection(actor=he(), inspection_id=life().inspection.pk, reason="补照片")


INVOICES = (
    "企业代号,发票号码,开票日期,购方单位代号,金额,税额,价税合计,发票状态\n"
    "{uscc},1,2025-03-04,B1,100,13,113,有效发票\n{uscc},1,2025-03-04,B1,100,13,113,有效发票\n"
)


LEADS = "名称,联系人\n永泰塑料厂,李\n"


def new_campaign() -> object:
    return campaigns.create_campaign(
        actor=lin(),
        name="地推",
        kind="door_to_door",
        budget=Decimal(1000),
        starts_on=OPENING,
        ends_on=date(2026, 12, 31),
    )


def campaign() -> int:
    return Campaign.objects.get().pk


def launch() -> object:
    return campaigns.launch_campaign(actor=lin(), campaign_id=campaign())


def new_link() -> object:
    return referrals.create_link(actor=lin(), title="柜台", expires_on=date(2026, 12, 31))


def ask_to_be_called() -> object:
    return referrals.receive_referral(
        token=ReferralLink.objects.get().token,
        name="永泰塑料厂",
        contact_name="李",
        phone="13600000001",
        has_consented=True,
    )


def visit() -> object:
    return visits.record_visit(
        actor=lin(), lead_id=life().lead.pk, visited_at=datetime(2026, 3, 2, 1, tzinfo=UTC), place="五金城",
        outcome="interested", next_action="送资料",
    )  # fmt: skip


def suggest() -> object:
    return suggestions.make_suggestion(actor=lin(), title="按季还", text="旺季才有钱")


def suggestion() -> int:
    return Suggestion.objects.get().pk


def vote() -> object:
    return suggestions.vote_suggestion(actor=he(), suggestion_id=suggestion())


def take_up() -> object:
    return suggestions.take_up_suggestion(actor=actor("zhou"), suggestion_id=suggestion())


def accept_it() -> object:
    return suggestions.accept_suggestion(actor=actor("zhou"), suggestion_id=suggestion(), answer="下季度试点")


def source() -> int:
    return RecordSource.objects.get().pk


def file_sent() -> int:
    return RecordImport.objects.earliest("id").pk


def hire_the_grid() -> None:
    register_sources(grid="国网")
    hire("grid", "integration", "CD")


def new_metric() -> Metric:
    return metrics.create_metric(
        actor=actor("zhou"),
        code="steam_t",
        own_name="蒸汽",
        places=1,
        least=0,
        most=None,
        roll_up="sum",
        words=["蒸汽"],
    )


def new_source() -> object:
    return record_sources.create_source(actor=actor("zhou"), code="tax", name="税务")


def allow_tax() -> object:
    return consents.record_consent(
        actor=lin(),
        customer_id=life().customer.pk,
        scope="tax",
        given_by_name="陈",
        given_on=date(2026, 3, 1),
        expires_on=date(2027, 3, 1),
    )


def new_feed() -> object:
    return feeds.create_feed(
        actor=actor("zhou"),
        source_id=source(),
        name="税务",
        layout="months",
        url="https://tax.example/returns?uscc={uscc}",
        columns={"period_month": "period", "metric_tax_paid": "paid"},
    )


def feed_of_source() -> None:
    new_source()
    new_feed()


def pull_begun() -> None:
    feed_of_source()
    pulls.begin_pull(actor=system_actor(), feed_id=feed())
    pulls.claim_call(run_id=pull())


def pull_answered() -> None:
    pull_begun()
    pulls.note_answer(call_id=pull_call(), answer=Answer([{"period": "2026-01", "paid": 5}]))


def pull_failed() -> None:
    pull_begun()
    pulls.note_failure(call_id=pull_call(), error="HTTP 404", again=False)
    pulls.finish_pull(run_id=pull())


def feed() -> int:
    return Feed.objects.get().pk


def pull() -> int:
    return PullRun.objects.get().pk


def pull_call() -> int:
    return PullCall.objects.get().pk


def send_file() -> object:
    content = INVOICES.format(uscc=life().customer.uscc).encode()
    return imports.receive_import(actor=he(), source_id=source(), layout="sales_invoices", file=content)


def start_file() -> object:
    sent = RecordImport.objects.get()
    return imports.start_import(actor=he(), record_import_id=sent.pk, mapping=imports.suggested_for(sent))


def take_chunk() -> object:
    sent = RecordImport.objects.get()
    with open_lines(path_of(sent.storage_name), Form(**sent.form)) as lines:
        return imports.import_chunk(record_import_id=sent.pk, chunk=0, stream=lines)


def taken_in() -> None:
    in_order(new_source, send_file, start_file)()
    imports.run_import(file_sent())


CAPS: dict[str, Any] = {
    "anchor_standing": "sound", "anchor_years": 5, "members_count": 50, "members_left": 1, "defaulted_members": 0,
    "years_running": 3, "proposed_cap": Decimal(1_000_000), "proposed_member_cap": Decimal(100_000),
}  # fmt: skip
MEMBERS = "名称,联系人,年限,年交易额\n甲五金,王,3,800000\n乙百货,李,2,600000\n".encode()


def cluster() -> int:
    return Cluster.objects.get().pk


def new_cluster() -> object:
    return clusters.create_cluster(actor=lin(), kind="platform", code="p", name="平台", anchor_name="平台")


def evaluate_cluster() -> object:
    return clusters.evaluate_cluster(actor=lin(), cluster_id=cluster(), **CAPS)


def submit_cluster() -> object:
    return clusters.submit_cluster(actor=lin(), cluster_id=cluster())


def activate_cluster() -> object:
    return clusters.activate_cluster(actor=actor("sun"), cluster_id=cluster())


def suspend_cluster() -> object:
    return clusters.suspend_cluster(actor=actor("sun"), cluster_id=cluster(), reason="停产")


def send_members() -> object:
    return clusters.take_in_members(actor=lin(), cluster_id=cluster(), file=MEMBERS)


def members_in() -> None:
    send_members()
    sent = RecordImport.objects.get()
    imports.start_import(actor=lin(), record_import_id=sent.pk, mapping=imports.suggested_for(sent))
    imports.run_import(sent.pk)


def start_prescreen() -> object:
    return prescreens.start_prescreen(actor=lin(), cluster_id=cluster())


def prescreen_run() -> int:
    return PrescreenRun.objects.get().pk


def prescreen_chunk() -> object:
    return prescreens.prescreen_chunk(prescreen_run_id=prescreen_run(), chunk=0)


def draft_model() -> object:
    return prescreen_models.draft_prescreen_model(actor=actor("zhou"), values=TABLE)


def submit_model() -> object:
    return prescreen_models.submit_prescreen_model(actor=actor("zhou"), prescreen_model_id=model())


def model() -> int:
    return PrescreenModel.objects.get().pk


CLUSTER_SUBMITTED = (new_cluster, evaluate_cluster, submit_cluster)
CLUSTER_ACTIVE = (*CLUSTER_SUBMITTED, activate_cluster)
PRESCREENING = (*CLUSTER_ACTIVE, members_in, start_prescreen)


def second_file() -> Customer:
    return customers.create_customer(
        actor=lin(), kind="farm_household", name="梅林五金", contact_name="林美玉", identity_number="11010519491231002X"
    )


def merge() -> object:
    other = Customer.objects.get(kind="farm_household")
    return merges.merge_customers(
        actor=actor("zhou"), customer_id=life().customer.pk, other_id=other.pk, reason="同一老板"
    )


def relate() -> object:
    return relations.add_relation(
        actor=lin(),
        customer_id=life().customer.pk,
        kind="owner",
        other={"party_kind": "person", "name": "王大海"},
    )


CASES: dict[str, Case] = {
    # --- leads and customers
    "update_lead": Case("capture", lambda: leads.update_lead(actor=lin(), lead_id=life().lead.pk, note="两台冲床")),
    "lose_lead": Case("capture", lose_lead),
    "reopen_lead": Case(
        "capture", lambda: leads.reopen_lead(actor=lin(), lead_id=life().lead.pk, reason="又来了"), lose_lead
    ),
    "reassign_lead": Case(
        "capture",
        lambda: leads.reassign_lead(actor=actor("zhou"), lead_id=life().lead.pk, owner_id=user("wei")),
        lambda: hire("wei", "account_manager", "CD"),
    ),
    "assign_leads": Case(
        "capture",
        lambda: leads.assign_leads(actor=actor("zhou"), owner_id=user("lin")),
        lambda: hire("wei", "account_manager", "CD"),
    ),
    "receive_leads": Case("capture", lambda: lead_lists.receive_leads(actor=lin(), file=LEADS.encode())),
    "record_visit": Case("capture", visit),
    "create_campaign": Case("opening", new_campaign),
    "update_campaign": Case(
        "opening", lambda: campaigns.update_campaign(actor=lin(), campaign_id=campaign(), channel="传单"), new_campaign
    ),
    "launch_campaign": Case("opening", launch, new_campaign),
    "end_campaign": Case(
        "opening",
        lambda: campaigns.end_campaign(actor=lin(), campaign_id=campaign()),
        in_order(new_campaign, launch),
    ),
    "cancel_campaign": Case(
        "opening",
        lambda: campaigns.cancel_campaign(actor=lin(), campaign_id=campaign(), reason="下雨"),
        new_campaign,
    ),
    "record_cost": Case(
        "opening",
        lambda: campaigns.record_cost(actor=lin(), campaign_id=campaign(), amount=Decimal(100), note="传单"),
        new_campaign,
    ),
    "create_link": Case("opening", new_link),
    "close_link": Case(
        "opening",
        lambda: referrals.close_link(actor=lin(), referral_link_id=ReferralLink.objects.get().pk),
        new_link,
    ),
    "receive_referral": Case("opening", ask_to_be_called, new_link),
    "make_suggestion": Case("opening", suggest),
    "vote_suggestion": Case("opening", vote, suggest),
    "withdraw_vote": Case(
        "opening",
        lambda: suggestions.withdraw_vote(actor=he(), suggestion_id=suggestion()),
        in_order(suggest, vote),
    ),
    "take_up_suggestion": Case("opening", take_up, suggest),
    "accept_suggestion": Case("opening", accept_it, in_order(suggest, take_up)),
    "decline_suggestion": Case(
        "opening",
        lambda: suggestions.decline_suggestion(actor=actor("zhou"), suggestion_id=suggestion(), answer="风险过高"),
        suggest,
    ),
    "finish_suggestion": Case(
        "opening",
        lambda: suggestions.finish_suggestion(actor=actor("zhou"), suggestion_id=suggestion()),
        in_order(suggest, take_up, accept_it),
    ),
    "update_customer": Case(
        "convert", lambda: customers.update_customer(actor=lin(), customer_id=life().customer.pk, employees=40)
    ),
    "reassign_customer": Case(
        "convert",
        lambda: customers.reassign_customer(
            actor=actor("zhou"), customer_id=life().customer.pk, owner_id=user("wei"), reason="调岗"
        ),
        lambda: hire("wei", "account_manager", "CD"),
    ),
    "add_relation": Case("convert", relate),
    "correct_relation": Case(
        "convert",
        lambda: relations.correct_relation(actor=lin(), relation_id=Relation.objects.get().pk, remark="改"),
        relate,
    ),
    "end_relation": Case(
        "convert",
        lambda: relations.end_relation(actor=lin(), relation_id=Relation.objects.get().pk, reason="转让"),
        relate,
    ),
    "reveal_party": Case(
        "convert",
        lambda: relations.reveal_party(actor=lin(), relation_id=Relation.objects.get().pk, end="from", reason="核对"),
        relate,
    ),
    "reveal_personal": Case(
        "convert",
        lambda: customers.reveal_personal(actor=lin(), customer_id=life().customer.pk, field="phone", reason="约上门"),
    ),
    "merge_customers": Case("convert", merge, second_file),
    "undo_merge": Case(
        "convert",
        lambda: merges.undo_merge(
            actor=actor("zhou"), customer_id=Customer.objects.exclude(merged_into=None).get().pk, reason="看错了"
        ),
        lambda: (second_file(), merge()),
    ),
    "push_records": Case(
        "receive_meter_readings",
        lambda: records.push_records(actor=actor("grid"), uscc=uscc(1), records=[KWH]),
        hire_the_grid,
    ),
    # --- the file up to the decision
    "update_application": Case(
        "draft", lambda: applications.update_application(actor=lin(), application_id=life().application.pk, purpose="x")
    ),
    "withdraw_application": Case(
        "draft",
        lambda: applications.withdraw_application(actor=lin(), application_id=life().application.pk, reason="不借了"),
    ),
    "withdraw_file": Case(
        "claim_opinion",
        lambda: reviews.withdraw_file(actor=lin(), application_id=life().application.pk, reason="不借了"),
    ),
    "close_investigation": Case(
        "sign_by_second",
        lambda: investigations.close_investigation(actor=lin(), investigation_id=life().investigation.pk),
        is_keyed=False,
    ),
    "release_claim": Case(
        "claim_opinion", lambda: reviews.release_claim(actor=actor("sun"), review_stage_id=stage("opinion"))
    ),
    "return_application": Case("claim_opinion", lambda: opine("returned")),
    "resume_application": Case(
        "claim_opinion",
        lambda: applications.resume_application(actor=lin(), application_id=life().application.pk),
        lambda: opine("returned"),
    ),
    "reopen_investigation": Case(
        "claim_opinion",
        lambda: applications.resume_application(actor=lin(), application_id=life().application.pk),
        lambda: opine("returned"),
    ),
    "decline_application": Case("claim_decision", decline),
    "override_decline": Case(
        "claim_decision",
        lambda: reviews.override_decline(
            actor=actor("zhou"), application_id=life().application.pk, reason="补充了抵押"
        ),
        decline_before_zhou,
    ),
    # --- contract, line, drawdown
    "void_contract": Case(
        "generate_contract",
        lambda: contracts.void_contract(actor=lin(), contract_id=life().contract.pk, reason="金额有误"),
    ),
    "waive_condition": Case(
        "sign_contract",
        lambda: contracts.waive_condition(actor=actor("qian"), condition_id=life().condition.pk, reason="已验原件"),
    ),
    "cancel_facility": Case(
        "sign_contract",
        lambda: facilities.cancel_facility(actor=lin(), facility_id=life().facility.pk, reason="不用了"),
    ),
    "freeze_facility": Case("make_effective", freeze),
    "unfreeze_facility": Case(
        "make_effective",
        lambda: facilities.unfreeze_facility(actor=he(), facility_id=life().facility.pk, reason="恢复"),
        freeze,
    ),
    "mature_facility": Case("make_effective", mature, is_keyed=False),
    "close_facility": Case(
        "pay_off", lambda: facilities.close_facility(actor=he(), facility_id=life().facility.pk), mature
    ),
    "correct_payee": Case(
        "request_drawdown",
        lambda: payees.correct_payee(
            actor=lin(), drawdown_id=life().drawdown.pk, number=1, name="恒润钢材", account="6228480000000099"
        ),
        lambda: Drawdown.objects.filter(pk=life().drawdown.pk).update(state="failed"),
    ),
    "refuse_drawdown": Case(
        "request_drawdown",
        lambda: drawdowns.refuse_drawdown(actor=actor("wu"), drawdown_id=life().drawdown.pk, reason="收款人不符"),
    ),
    "cancel_drawdown": Case(
        "request_drawdown",
        lambda: drawdowns.cancel_drawdown(actor=lin(), drawdown_id=life().drawdown.pk, reason="改期"),
    ),
    # --- the loan
    "use_held_money": Case(
        "release_drawdown", lambda: held_money(Part(date(2026, 3, 3), 0, 1)), pay_early, is_keyed=False
    ),
    "prepay_loan": Case(
        "release_drawdown",
        lambda: repayments.prepay_loan(
            actor=he(), loan_id=life().loan.pk, amount=Decimal(100000), reference="PART", surplus="shorten_term"
        ),
    ),
    "apply_for_renewal": Case("release_drawdown", apply_for_renewal, sell_renewals),
    "request_renewal": Case(
        "release_drawdown",
        lambda: renewals.request_renewal(
            actor=lin(), facility_id=Facility.objects.get(application__renews__isnull=False).pk
        ),
        in_order(apply_for_renewal, sign_renewal),
    ),
    "request_backdated_repayment": Case(
        "assign_case",
        asking("backdated_repayment", amount=Decimal(500), reference="SLIP", value_date=OPENING),
    ),
    "request_reversal": Case("release_drawdown", ask_for_reversal, pay_early),
    "request_waiver": Case("assign_case", asking("waiver", kind="interest", amount=Decimal(1))),
    "request_fee": Case("release_drawdown", asking("fee", amount=Decimal(80))),
    "request_rate_change": Case("release_drawdown", asking("rate_change", annual_rate=Decimal("0.04"))),
    "request_interest_pause": Case("release_drawdown", asking("interest_pause", until=date(2026, 3, 4))),
    "request_extension": Case("release_drawdown", asking("extension", extra_instalments=2)),
    "request_principal_grace": Case("release_drawdown", asking("principal_grace", principal_grace=1)),
    "request_restructuring": Case("release_drawdown", asking("restructuring", extra_instalments=2)),
    "request_misuse": Case("release_drawdown", asking("misuse")),
    "request_judgement": Case("release_drawdown", asking("judgement", asset_class="substandard")),
    "request_call_in": Case("release_drawdown", asking("call_in")),
    "request_write_off": Case("release_drawdown", asking("write_off"), be_a_loss),
    "confirm_loan_request": Case("release_drawdown", confirm, asking("fee", amount=Decimal(80))),
    "refuse_loan_request": Case(
        "release_drawdown",
        lambda: loan_requests.refuse_loan_request(actor=actor("zhou"), loan_request_id=asked_for(), reason="无依据"),
        asking("fee", amount=Decimal(80)),
    ),
    "withdraw_loan_request": Case(
        "release_drawdown",
        lambda: loan_requests.withdraw_loan_request(actor=he(), loan_request_id=asked_for()),
        asking("fee", amount=Decimal(80)),
    ),
    "book_recovery": Case(
        "release_drawdown",
        lambda: write_offs.book_recovery(actor=he(), loan_id=life().loan.pk, amount=Decimal(1000), reference="REC"),
        in_order(be_a_loss, asking("write_off"), confirm),
    ),
    "reprice_loan": Case(
        "release_drawdown",
        lambda: reprice_loan(actor=system_actor(), loan_id=life().loan.pk, on_date=OPENING),
        is_keyed=False,
    ),
    "make_debit_file": Case("assign_case", make_debits),
    "note_debit_file_sent": Case("assign_case", send_debits, make_debits, is_keyed=False),
    "book_debit_row": Case(
        "assign_case",
        lambda: debit_files.book_debit_row(
            row_id=debit_row().pk,
            answer=PaymentAnswer(
                "succeeded", collected_amount=Decimal(900), reference=debit_row().instruction.reference
            ),
        ),
        in_order(make_debits, send_debits),
        is_keyed=False,
    ),
    "set_debit_row_aside": Case("assign_case", set_debit_aside, in_order(make_debits, send_debits), is_keyed=False),
    "finish_debit_file": Case(
        "assign_case",
        lambda: debit_files.finish_debit_file(file_id=debit_file()),
        in_order(make_debits, send_debits, set_debit_aside),
        is_keyed=False,
    ),
    "change_facility_limit": Case(
        "release_drawdown",
        lambda: facilities.change_facility_limit(
            actor=actor("zhou"), facility_id=life().facility.pk, limit_amount=Decimal(300000), reason="用信下降"
        ),
    ),
    "settle_loan": Case(
        "release_drawdown", lambda: repayments.settle_loan(actor=he(), loan_id=life().loan.pk), owe_nothing
    ),
    # --- warnings and inspections
    "reassign_case": Case(
        "assign_case",
        lambda: warning_cases.reassign_case(
            actor=actor("zhou"), warning_case_id=life().case.pk, officer_id=user("gu"), reason="何休假"
        ),
        lambda: hire("gu", "post_loan_officer", "CD"),
    ),
    "record_findings": Case(
        "verify_case",
        lambda: warning_cases.record_findings(actor=he(), warning_case_id=life().case.pk, findings="停单"),
    ),
    "freeze_line": Case(
        "verify_case",
        lambda: warning_cases.freeze_line(
            actor=he(), warning_case_id=life().case.pk, facility_id=life().facility.pk, reason="电量下滑"
        ),
    ),
    "dismiss_case": Case(
        "verify_case",
        lambda: warning_cases.dismiss_case(actor=he(), warning_case_id=life().case.pk, reason="换表"),
    ),
    "transfer_to_collection": Case(
        "act_on_case",
        lambda: warning_cases.transfer_to_collection(actor=he(), warning_case_id=life().case.pk, reason="拒接"),
    ),
    "save_inspection": Case(
        "start_inspection",
        lambda: inspections.save_inspection(actor=lin(), inspection_id=life().inspection.pk, business_running=True),
    ),
    "send_back_inspection": Case("submit_inspection", send_back),
    "resume_inspection": Case(
        "submit_inspection",
        lambda: inspections.resume_inspection(actor=lin(), inspection_id=life().inspection.pk),
        send_back,
    ),
    # --- collection
    "open_collection": Case("act_on_case", open_collection),
    "contact_borrower": Case("act_on_case", contact_borrower, open_collection),
    "note_collection": Case(
        "act_on_case",
        lambda: collection.note_collection(actor=he(), collection_case_id=collecting(), note="又拨一次"),
        in_order(open_collection, contact_borrower),
    ),
    "record_promise": Case("act_on_case", promise, in_order(open_collection, contact_borrower)),
    "break_promise": Case(
        "act_on_case",
        lambda: collection.break_promise(actor=he(), collection_case_id=collecting(), reason="未到账"),
        in_order(open_collection, contact_borrower, promise),
    ),
    "go_legal": Case(
        "act_on_case",
        lambda: collection.go_legal(actor=he(), collection_case_id=collecting(), reason="失联"),
        in_order(open_collection, contact_borrower),
    ),
    "close_paid": Case(
        "act_on_case",
        lambda: collection.close_paid(actor=he(), collection_case_id=collecting(), reason="已还清"),
        in_order(open_collection, pay_everything),
    ),
    "close_restructured": Case(
        "act_on_case",
        lambda: collection.close_restructured(actor=he(), collection_case_id=collecting(), reason="已重组"),
        in_collection(restructured_date=date(2027, 1, 1)),
    ),
    "close_written_off": Case(
        "act_on_case",
        lambda: collection.close_written_off(actor=actor("zhou"), collection_case_id=collecting(), reason="已核销"),
        in_collection(state="written_off"),
    ),
    # --- products, prime rates, thresholds, authorities
    "create_product": Case(
        "opening",
        lambda: products.create_product(
            actor=actor("zhou"), code="RV", name_zh="循环贷", name_en="Revolving line", family="revolving"
        ),
    ),
    "draft_product_version": Case("opening", draft_version),
    "revise_product_version": Case(
        "opening",
        lambda: products.revise_product_version(actor=actor("zhou"), product_version_id=version(), **OFFER),
    ),
    "update_product_version": Case(
        "opening",
        lambda: products.update_product_version(actor=actor("zhou"), product_version_id=version(), margin_bp=99),
        draft_version,
    ),
    "submit_product_version": Case("opening", submit_version, draft_version),
    "reject_product_version": Case(
        "opening",
        lambda: products.reject_product_version(actor=actor("qian"), product_version_id=version(), reason="偏高"),
        in_order(draft_version, submit_version),
    ),
    "activate_product_version": Case(
        "opening",
        lambda: products.activate_product_version(actor=actor("qian"), product_version_id=version()),
        in_order(draft_version, submit_version),
    ),
    "retire_product_version": Case(
        "opening",
        lambda: products.retire_product_version(actor=actor("zhou"), product_version_id=version(), reason="停售"),
    ),
    "import_lpr": Case(
        "opening",
        lambda: prime_rates.import_lpr(
            actor=actor("zhou"),
            rows=[{"published_date": "2026-02-20", "one_year": "2.95", "five_year": "3.45", "source": "NIFC"}],
        ),
    ),
    "draft_threshold_set": Case("opening", draft_thresholds),
    "update_threshold_set": Case(
        "opening",
        lambda: thresholds.update_threshold_set(
            actor=actor("zhou"), threshold_set_id=threshold_set(), values={"red": "5"}
        ),
        draft_thresholds,
    ),
    "submit_threshold_set": Case("opening", submit_thresholds, draft_thresholds),
    "reject_threshold_set": Case(
        "opening",
        lambda: thresholds.reject_threshold_set(actor=actor("qian"), threshold_set_id=threshold_set(), reason="太严"),
        in_order(draft_thresholds, submit_thresholds),
    ),
    "activate_threshold_set": Case(
        "opening",
        lambda: thresholds.activate_threshold_set(actor=actor("qian"), threshold_set_id=threshold_set()),
        in_order(draft_thresholds, submit_thresholds),
    ),
    "draft_posting_rules": Case("opening", draft_rules),
    "update_posting_rules": Case(
        "opening",
        lambda: posting_rules.update_posting_rules(
            actor=actor("zhou"),
            posting_rule_set_id=rule_set(),
            values=own_rules(["fee_charged", "fee", "secured", "113203", "602101"]),
        ),
        draft_rules,
    ),
    "submit_posting_rules": Case("opening", submit_rules, draft_rules),
    "reject_posting_rules": Case(
        "opening",
        lambda: posting_rules.reject_posting_rules(actor=actor("qian"), posting_rule_set_id=rule_set(), reason="不妥"),
        in_order(draft_rules, submit_rules),
    ),
    "activate_posting_rules": Case(
        "opening",
        lambda: posting_rules.activate_posting_rules(actor=actor("qian"), posting_rule_set_id=rule_set()),
        in_order(draft_rules, submit_rules),
    ),
    "grant_authority": Case(
        "opening",
        lambda: authorities.grant_authority(
            actor=actor("zhou"),
            user_id=user("qian"),
            office_id=office("CD"),
            limit_amount=Decimal(2000000),
            effective_date=OPENING,
        ),
    ),
    "end_authority": Case(
        "opening",
        lambda: authorities.end_authority(actor=actor("zhou"), authority_id=Authority.objects.get().pk, reason="轮岗"),
    ),
    # --- offices, people, parameters, calendar
    "open_head_office": Case(
        "empty",
        lambda: offices.open_head_office(actor=system_actor(), code="HO", name="总行"),
        is_keyed=False,
    ),
    "open_first_day": Case("empty", lambda: open_first_day(actor=system_actor(), date=OPENING), is_keyed=False),
    "create_office": Case(
        "opening",
        lambda: offices.create_office(
            actor=head(), parent_id=office("CD"), code="ST", name="石桥支行", kind="sub_branch"
        ),
        head,
    ),
    "rename_office": Case(
        "opening", lambda: offices.rename_office(actor=head(), office_id=office("HW"), name="五金城二店"), head
    ),
    "move_office": Case(
        "opening",
        lambda: offices.move_office(actor=head(), office_id=office("HW"), parent_id=office("JB"), reason="划转"),
        head,
    ),
    "create_user": Case(
        "opening",
        lambda: staff.create_user(
            actor=head(), username="new", display_name="新", office_id=office("CD"), password=PASSWORD
        ),
        head,
    ),
    "update_user": Case(
        "opening",
        lambda: staff.update_user(actor=head(), user_id=user("lin"), display_name="林一", office_id=office("HW")),
        head,
    ),
    "set_password": Case(
        "opening", lambda: staff.set_password(actor=head(), user_id=user("lin"), password=PASSWORD), head
    ),
    "deactivate_user": Case(
        "opening", lambda: staff.deactivate_user(actor=head(), user_id=user("lin"), reason="离职"), head
    ),
    "reactivate_user": Case(
        "opening",
        lambda: staff.reactivate_user(actor=head(), user_id=user("lin"), reason="返岗"),
        in_order(head, lambda: User.objects.filter(username="lin").update(is_active=False)),
    ),
    "assign_role": Case(
        "opening",
        lambda: staff.assign_role(
            actor=head(), user_id=user("lin"), role="co_investigator", office_id=office("CD"), start_date=OPENING
        ),
        head,
    ),
    "end_role": Case(
        "opening",
        lambda: staff.end_role(
            actor=head(),
            assignment_id=RoleAssignment.objects.get(user__username="lin").pk,
            end_date=OPENING,
            reason="调岗",
        ),
        head,
    ),
    "set_parameter": Case(
        "opening",
        lambda: set_parameter(
            actor=actor("zhou"), code="offer.validity_days", value=60, effective_date=OPENING, reason="收紧"
        ),
    ),
    "set_calendar_override": Case(
        "opening",
        lambda: set_calendar_override(actor=actor("zhou"), date=date(2026, 3, 14), is_working=True, reason="年终决算"),
    ),
    # --- sessions, documents, notices
    "issue_token": Case("opening", lambda: sessions.issue_token(user_id=user("lin"))),
    "sign_out_everywhere": Case(
        "opening",
        lambda: sessions.sign_out_everywhere(actor=lin(), user_id=user("lin")),
        lambda: sessions.issue_token(user_id=user("lin")),
    ),
    "open_attachment": Case(
        "meet_condition",
        lambda: attachments.open_attachment(actor=lin(), attachment_id=Attachment.objects.latest("id").pk),
    ),
    "correct_document": Case(
        "meet_condition",
        lambda: attachments.correct_document(
            actor=lin(),
            attachment_id=Attachment.objects.latest("id").pk,
            expires_on=date(2027, 3, 31),
            reason="看错日期",
        ),
    ),
    "mark_read": Case("assign_case", lambda: notifications.mark_read(actor=he(), notification_id=told("he"))),
    "mark_all_read": Case("assign_case", lambda: notifications.mark_all_read(actor=he())),
}


CASES |= {
    # --- files of outside facts
    "create_source": Case("convert", new_source),
    "record_consent": Case("convert", allow_tax),
    "withdraw_consent": Case(
        "convert",
        lambda: consents.withdraw_consent(actor=lin(), consent_id=Consent.objects.get().pk, reason="撤回"),
        allow_tax,
    ),
    "create_feed": Case("convert", new_feed, new_source),
    "update_feed": Case(
        "convert", lambda: feeds.update_feed(actor=actor("zhou"), feed_id=feed(), every_hours=12), feed_of_source
    ),
    "begin_pull": Case(
        "convert", lambda: pulls.begin_pull(actor=system_actor(), feed_id=feed()), feed_of_source, is_keyed=False
    ),
    "pull_customer": Case(
        "convert",
        lambda: pulls.pull_customer(actor=lin(), customer_id=life().customer.pk, feed_id=feed()),
        feed_of_source,
    ),
    "claim_call": Case("convert", lambda: pulls.claim_call(run_id=pull()), pull_begun, is_keyed=False),
    "note_answer": Case(
        "convert",
        lambda: pulls.note_answer(call_id=pull_call(), answer=Answer([{"period": "2026-01", "paid": 5}])),
        pull_begun,
        is_keyed=False,
    ),
    "note_call_failure": Case(
        "convert",
        lambda: pulls.note_failure(call_id=pull_call(), error="HTTP 404", again=False),
        pull_begun,
        is_keyed=False,
    ),
    "finish_pull": Case("convert", lambda: pulls.finish_pull(run_id=pull()), pull_answered, is_keyed=False),
    "replay_call": Case("convert", lambda: pulls.replay_call(actor=he(), pull_call_id=pull_call()), pull_failed),
    "create_metric": Case("convert", new_metric),
    "update_metric": Case(
        "convert",
        lambda: metrics.update_metric(actor=actor("zhou"), metric_id=Metric.objects.get(code="steam_t").pk, unit="t"),
        new_metric,
    ),
    "update_source": Case(
        "convert",
        lambda: record_sources.update_source(actor=actor("zhou"), record_source_id=source(), identical_rows="all"),
        taken_in,
    ),
    "map_firms": Case(
        "convert",
        lambda: record_sources.map_firms(
            actor=he(), source_id=source(), firms=[{"code": "E1", "uscc": life().customer.uscc or ""}]
        ),
        new_source,
    ),
    "receive_import": Case("convert", send_file, new_source),
    "start_import": Case("convert", start_file, in_order(new_source, send_file)),
    "discard_import": Case(
        "convert",
        lambda: imports.discard_import(actor=he(), record_import_id=file_sent()),
        in_order(new_source, send_file),
    ),
    "repeat_import": Case("convert", lambda: imports.repeat_import(actor=he(), record_import_id=file_sent()), taken_in),
    "import_chunk": Case("convert", take_chunk, in_order(new_source, send_file, start_file), is_keyed=False),
    "settle_import": Case(
        "convert",
        lambda: imports.settle_import(record_import_id=file_sent()),
        in_order(new_source, send_file, start_file, take_chunk),
        is_keyed=False,
    ),
    "finish_import": Case(
        "convert",
        lambda: imports.finish_import(record_import_id=file_sent()),
        in_order(new_source, send_file, start_file, take_chunk),
        is_keyed=False,
    ),
    "refuse_import": Case(
        "convert",
        lambda: imports.refuse_import(record_import_id=file_sent(), refusal="x"),
        in_order(new_source, send_file, start_file),
        is_keyed=False,
    ),
}

CASES |= {
    # --- clusters
    "create_cluster": Case("opening", new_cluster),
    "update_cluster": Case(
        "opening", lambda: clusters.update_cluster(actor=lin(), cluster_id=cluster(), name="平台二"), new_cluster
    ),
    "evaluate_cluster": Case("opening", evaluate_cluster, new_cluster),
    "submit_cluster": Case("opening", submit_cluster, in_order(new_cluster, evaluate_cluster)),
    "send_back_cluster": Case(
        "opening",
        lambda: clusters.send_back_cluster(actor=actor("sun"), cluster_id=cluster(), reason="数据不足"),
        in_order(*CLUSTER_SUBMITTED),
    ),
    "activate_cluster": Case("opening", activate_cluster, in_order(*CLUSTER_SUBMITTED)),
    "approve_cluster_cap": Case(
        "opening",
        lambda: clusters.approve_cluster_cap(actor=actor("sun"), cluster_id=cluster()),
        in_order(
            *CLUSTER_ACTIVE,
            lambda: clusters.evaluate_cluster(
                actor=lin(), cluster_id=cluster(), **(CAPS | {"proposed_cap": Decimal(900_000)})
            ),
        ),
    ),
    "suspend_cluster": Case("opening", suspend_cluster, in_order(*CLUSTER_ACTIVE)),
    "reassign_cluster": Case(
        "opening",
        lambda: clusters.reassign_cluster(
            actor=actor("zhou"), cluster_id=cluster(), owner_id=user("wei"), reason="休产假"
        ),
        in_order(new_cluster, lambda: hire("wei", "account_manager", "CD")),
    ),
    "resume_cluster": Case(
        "opening",
        lambda: clusters.resume_cluster(actor=actor("sun"), cluster_id=cluster()),
        in_order(*CLUSTER_ACTIVE, suspend_cluster),
    ),
    "close_cluster": Case(
        "opening",
        lambda: clusters.close_cluster(actor=lin(), cluster_id=cluster(), reason="散了"),
        in_order(*CLUSTER_ACTIVE),
    ),
    "take_in_members": Case("opening", send_members, in_order(*CLUSTER_ACTIVE)),
    "take_in_documents": Case(
        "opening",
        lambda: clusters.take_in_documents(
            actor=lin(), cluster_id=cluster(), file="成员,类型,编号,金额,日期\n甲五金,订单,1,5000,2026-01-05\n".encode()
        ),
        in_order(*CLUSTER_ACTIVE),
    ),
    # --- pre-screening
    "start_prescreen": Case("opening", start_prescreen, in_order(*CLUSTER_ACTIVE, members_in)),
    "prescreen_chunk": Case("opening", prescreen_chunk, in_order(*PRESCREENING), is_keyed=False),
    "finish_prescreen": Case(
        "opening",
        lambda: prescreens.finish_prescreen(prescreen_run_id=prescreen_run()),
        in_order(*PRESCREENING, prescreen_chunk),
        is_keyed=False,
    ),
    "fail_prescreen": Case(
        "opening",
        lambda: prescreens.fail_prescreen(prescreen_run_id=prescreen_run(), reason="x"),
        in_order(*PRESCREENING),
        is_keyed=False,
    ),
    "make_cluster_leads": Case(
        "opening",
        lambda: prescreens.make_cluster_leads(
            actor=lin(), cluster_id=cluster(), member_ids=list(ClusterMember.objects.values_list("pk", flat=True))
        ),
        in_order(*CLUSTER_ACTIVE, members_in),
    ),
    "draft_prescreen_model": Case("opening", draft_model),
    "update_prescreen_model": Case(
        "opening",
        lambda: prescreen_models.update_prescreen_model(actor=actor("zhou"), prescreen_model_id=model(), values=TABLE),
        draft_model,
    ),
    "submit_prescreen_model": Case("opening", submit_model, draft_model),
    "reject_prescreen_model": Case(
        "opening",
        lambda: prescreen_models.reject_prescreen_model(actor=actor("qian"), prescreen_model_id=model(), reason="太严"),
        in_order(draft_model, submit_model),
    ),
    "activate_prescreen_model": Case(
        "opening",
        lambda: prescreen_models.activate_prescreen_model(actor=actor("qian"), prescreen_model_id=model()),
        in_order(draft_model, submit_model),
    ),
}


def new_list() -> object:
    return watchlists.create_watchlist(actor=actor("zhou"), code="court", name="名单", kind="dishonest_debtor")


def court() -> int:
    return Watchlist.objects.get().pk


def send_names() -> object:
    """The life's firm is on the list."""
    rows = [{"name": life().customer.name, "reference": "1"}]
    return watchlists.send_list(actor=actor("zhou"), watchlist_id=court(), rows=rows, start=True)


def listed() -> None:
    in_order(new_list, send_names)()
    imports.run_import(RecordImport.objects.get(source__watchlist=court()).pk)


def found() -> None:
    listed()
    screening.screen_again(actor=system_actor(), customer_id=life().customer.pk, moment="book")


def hit() -> dict[str, Any]:
    return {"screening_hit_id": ScreeningHit.objects.earliest("pk").pk, "reason": "查过"}


def propose(outcome: str) -> Callable[[], object]:
    return lambda: screening_hits.propose_hit(actor=actor("sun"), outcome=outcome, **hit())


CASES |= {
    # --- watchlists and hits
    "create_watchlist": Case("convert", new_list),
    "update_watchlist": Case(
        "convert",
        lambda: watchlists.update_watchlist(actor=actor("zhou"), watchlist_id=court(), is_complete=False),
        new_list,
    ),
    "send_list": Case("convert", send_names, new_list),
    "screen_again": Case(
        "convert",
        lambda: screening.screen_again(actor=system_actor(), customer_id=life().customer.pk, moment="book"),
        listed,
        is_keyed=False,
    ),
    "start_screening": Case("convert", screening_runs.start_screening, listed, is_keyed=False),
    "screen_part": Case(
        "convert",
        lambda: screening_runs.screen_part(run_id=ScreeningRun.objects.get().pk, stage="customer", after_id=0),
        in_order(listed, screening_runs.start_screening),
        is_keyed=False,
    ),
    "propose_hit": Case("convert", propose("clear"), found),
    "clear_hit": Case(
        "convert", lambda: screening_hits.clear_hit(actor=he(), **hit()), in_order(found, propose("clear"))
    ),
    "confirm_hit": Case(
        "convert", lambda: screening_hits.confirm_hit(actor=he(), **hit()), in_order(found, propose("confirm"))
    ),
    "send_back_hit": Case(
        "convert", lambda: screening_hits.send_back_hit(actor=he(), **hit()), in_order(found, propose("clear"))
    ),
    "reopen_hit": Case(
        "convert",
        lambda: screening_hits.reopen_hit(actor=he(), **hit()),
        in_order(found, propose("clear"), lambda: screening_hits.clear_hit(actor=he(), **hit())),
    ),
}


def erasure_of(subject: str) -> Callable[[], object]:
    """A request for erasing the life's customer, or a lead of its own, recorded by Lin."""
    if subject == "customer":
        return lambda: retention.ask_customer_erasure(actor=lin(), customer_id=life().customer.pk, channel="phone")
    return lambda: retention.ask_lead_erasure(actor=lin(), lead_id=another_lead(), channel="phone")


def another_lead() -> int:
    return Lead.objects.get(name="另一家小店").pk


def take_another() -> None:
    leads.capture_lead(
        actor=lin(), name="另一家小店", contact_name="孟", phone="13700137000", source="visit", capture_anyway=True,
        anyway_reason="另一家",
    )  # fmt: skip


def long_lost() -> None:
    take_another()
    leads.lose_lead(actor=lin(), lead_id=another_lead(), code="price")
    Lead.objects.filter(pk=another_lead()).update(lost_on=date(2020, 1, 1))


def the_request() -> int:
    return ErasureRequest.objects.get(state="open").pk


def of_customer(call: Callable[..., object], who: str) -> Callable[[], object]:
    return lambda: call(actor=actor(who), customer_id=life().customer.pk, reason="本人要求")


def of_lead(call: Callable[..., object], who: str = "zhou") -> Callable[[], object]:
    return lambda: call(actor=actor(who), lead_id=another_lead(), reason="本人要求")


CASES |= {
    # --- retention and erasure
    "ask_customer_erasure": Case("convert", erasure_of("customer")),
    "ask_lead_erasure": Case("convert", erasure_of("lead"), take_another),
    "withdraw_erasure_request": Case(
        "convert",
        lambda: retention.withdraw_erasure_request(actor=lin(), erasure_request_id=the_request(), reason="重录"),
        erasure_of("customer"),
    ),
    "hold_customer": Case("convert", of_customer(retention.hold_customer, "he")),
    "lift_customer_hold": Case(
        "convert", of_customer(retention.lift_customer_hold, "he"), of_customer(retention.hold_customer, "he")
    ),
    "hold_lead": Case("convert", of_lead(retention.hold_lead), take_another),
    "lift_lead_hold": Case(
        "convert", of_lead(retention.lift_lead_hold), in_order(take_another, of_lead(retention.hold_lead))
    ),
    "erase_customer": Case("convert", of_customer(retention.erase_customer, "zhou"), erasure_of("customer")),
    "erase_lead": Case("convert", of_lead(retention.erase_lead), in_order(take_another, erasure_of("lead"))),
    "start_retention": Case("convert", retention_nights.start_retention, long_lost, is_keyed=False),
    "retention_part": Case(
        "convert",
        lambda: retention_nights.retention_part(run_id=RetentionRun.objects.get().pk, stage="lead", after_id=0),
        in_order(long_lost, retention_nights.start_retention),
        is_keyed=False,
    ),
}


def give(name: str) -> None:
    CASES[name].given()


def carry_out(name: str) -> bool:
    """The call, with a key where it has one; whether it was answered from before."""
    case = CASES[name]
    if case.is_keyed:
        return keyed(name, case.call)
    case.call()
    return False
