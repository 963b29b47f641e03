"""Who sees which leads, customers and outside figures."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from branch.domain.actor import Actor
from branch.domain.roles import STAFF, Role
from branch.queries.visibility import owned_or_within, scope, visible, within_offices
from customers.models import (
    Campaign,
    ChainDocument,
    Cluster,
    ClusterMember,
    Consent,
    Customer,
    ErasureRequest,
    ExternalRecord,
    Feed,
    Invoice,
    Lead,
    LeadVisit,
    Metric,
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
    Watchlist,
    WatchlistEntry,
)

LEAD_READERS = frozenset({Role.BRANCH_MANAGER, Role.AUDITOR})
INVESTIGATORS = LEAD_READERS | {Role.CO_INVESTIGATOR, Role.RISK_REVIEWER, Role.APPROVER, Role.POST_LOAN_OFFICER}
CUSTOMER_READERS = INVESTIGATORS | {Role.DISBURSEMENT_OFFICER, Role.LOAN_ACCOUNTANT}


@scope(Lead)
def leads(rows: QuerySet[Lead], actor: Actor) -> QuerySet[Lead]:
    return owned_or_within(rows, actor, subtree=LEAD_READERS)


@scope(Customer)
def customers(rows: QuerySet[Customer], actor: Actor) -> QuerySet[Customer]:
    return owned_or_within(rows, actor, subtree=CUSTOMER_READERS)


@scope(ExternalRecord)
def external_records(rows: QuerySet[ExternalRecord], actor: Actor) -> QuerySet[ExternalRecord]:
    return owned_or_within(rows, actor, subtree=INVESTIGATORS, owner="customer__owner", office="customer__office")


@scope(RecordDetail)
def record_details(rows: QuerySet[RecordDetail], actor: Actor) -> QuerySet[RecordDetail]:
    return owned_or_within(rows, actor, subtree=INVESTIGATORS, owner="customer__owner", office="customer__office")


def open_customers(actor: Actor) -> QuerySet[Customer]:
    """Those to choose from where something new is begun: what the services would not refuse as closed."""
    return in_use(visible(Customer, actor)).filter(merged_into=None)


def pushable_customers(actor: Actor) -> QuerySet[Customer]:
    """Customers an integration client may send figures of; it can't read them."""
    return in_use(Customer.objects.filter(within_offices(actor, {Role.INTEGRATION})))


def in_use(rows: QuerySet[Customer]) -> QuerySet[Customer]:
    """Customers whose data may be worked with: neither erased nor only kept."""
    return rows.filter(erased_on=None, restricted_on=None)


#: Who keeps watchlists and sends their files, for the bank as a whole; and who looks into them to judge a hit.
LIST_KEEPERS = frozenset({Role.POLICY_MANAGER, Role.ADMINISTRATOR})
HIT_REVIEWERS = frozenset({Role.RISK_REVIEWER, Role.POST_LOAN_OFFICER, Role.BRANCH_MANAGER})
LIST_READERS = LIST_KEEPERS | HIT_REVIEWERS | {Role.AUDITOR}
#: Who reads a hit with the entry beside it; account managers learn of which kind of list a hit of theirs is.
HIT_READERS = HIT_REVIEWERS | {Role.AUDITOR}
#: Who sends outside facts of any customer in their offices, of their own customers, and who looks into imports.
SENDS_FOR_ALL = frozenset({Role.POST_LOAN_OFFICER, Role.INTEGRATION})
IMPORT_READERS = LEAD_READERS | {Role.POST_LOAN_OFFICER}
SOURCE_READERS = INVESTIGATORS | {Role.ACCOUNT_MANAGER, Role.INTEGRATION, Role.ADMINISTRATOR, Role.POLICY_MANAGER}


def importable_customers(actor: Actor) -> QuerySet[Customer]:
    """Customers whose figures this person may send in a file; what else stands in it is unknown to the import."""
    rows = in_use(Customer.objects.all())
    return rows if actor.is_system else owned_or_within(rows, actor, subtree=SENDS_FOR_ALL)


@scope(Metric)
def metrics(rows: QuerySet[Metric], actor: Actor) -> QuerySet[Metric]:
    return rows if actor.roles & SOURCE_READERS else rows.none()


@scope(Consent)
def consents(rows: QuerySet[Consent], actor: Actor) -> QuerySet[Consent]:
    return owned_or_within(rows, actor, subtree=CUSTOMER_READERS, owner="customer__owner")


@scope(Feed)
def feeds(rows: QuerySet[Feed], actor: Actor) -> QuerySet[Feed]:
    return rows if actor.roles & SOURCE_READERS else rows.none()


@scope(PullRun)
def pull_runs(rows: QuerySet[PullRun], actor: Actor) -> QuerySet[PullRun]:
    """How it went with whom is on the calls; a round by itself tells of nobody."""
    return rows if actor.roles & SOURCE_READERS else rows.none()


@scope(PullCall)
def pull_calls(rows: QuerySet[PullCall], actor: Actor) -> QuerySet[PullCall]:
    return rows.filter(within_offices(actor, IMPORT_READERS))


@scope(RecordSource)
def record_sources(rows: QuerySet[RecordSource], actor: Actor) -> QuerySet[RecordSource]:
    """They hold nothing of a customer: everybody who works with figures sees all."""
    if not actor.roles & SOURCE_READERS:
        return rows.none()
    return rows if actor.roles & LIST_READERS else rows.filter(watchlist=None)


@scope(RecordImport)
def record_imports(rows: QuerySet[RecordImport], actor: Actor) -> QuerySet[RecordImport]:
    """A client system sees what came in over the API in its offices, others what they sent or look after."""
    is_list = Q(layout=RecordImport.Layout.WATCHLIST)
    over_api = rows.filter(~is_list, within_offices(actor, {Role.INTEGRATION}), origin=RecordImport.Origin.API)
    lists = rows.filter(is_list, within_offices(actor, LIST_KEEPERS | {Role.AUDITOR}))
    return owned_or_within(rows.filter(~is_list), actor, subtree=IMPORT_READERS) | over_api | lists


@scope(Invoice)
def invoices(rows: QuerySet[Invoice], actor: Actor) -> QuerySet[Invoice]:
    return owned_or_within(rows, actor, subtree=INVESTIGATORS, owner="customer__owner", office="customer__office")


@scope(Campaign)
def campaigns(rows: QuerySet[Campaign], actor: Actor) -> QuerySet[Campaign]:
    """Those of the offices below, and for account managers those of the offices above: a branch runs them for all."""
    mine = {Role.ACCOUNT_MANAGER}
    above = {int(part) for path in actor.paths(mine) for part in path.split("/") if part}
    return rows.filter(within_offices(actor, LEAD_READERS | mine) | Q(office_id__in=above))


@scope(ReferralLink)
def referral_links(rows: QuerySet[ReferralLink], actor: Actor) -> QuerySet[ReferralLink]:
    return owned_or_within(rows, actor, subtree=LEAD_READERS)


@scope(LeadVisit)
def lead_visits(rows: QuerySet[LeadVisit], actor: Actor) -> QuerySet[LeadVisit]:
    return owned_or_within(rows, actor, subtree=LEAD_READERS, owner="lead__owner", office="lead__office")


@scope(Suggestion)
def suggestions(rows: QuerySet[Suggestion], actor: Actor) -> QuerySet[Suggestion]:
    """They hold nothing of a customer: everybody on the staff reads all."""
    return rows if actor.roles & STAFF else rows.none()


#: Who judges clusters, decides on files of their members, or looks after the office.
CLUSTER_READERS = LEAD_READERS | {Role.RISK_REVIEWER, Role.APPROVER}


@scope(Cluster)
def clusters(rows: QuerySet[Cluster], actor: Actor) -> QuerySet[Cluster]:
    return owned_or_within(rows, actor, subtree=CLUSTER_READERS)


@scope(ChainDocument)
def chain_documents(rows: QuerySet[ChainDocument], actor: Actor) -> QuerySet[ChainDocument]:
    return owned_or_within(rows, actor, subtree=CLUSTER_READERS, owner="cluster__owner", office="cluster__office")


@scope(ClusterMember)
def cluster_members(rows: QuerySet[ClusterMember], actor: Actor) -> QuerySet[ClusterMember]:
    return owned_or_within(rows, actor, subtree=CLUSTER_READERS, owner="cluster__owner", office="cluster__office")


#: A decision table is the bank's: read by who keeps it, and by all who see what it found.
PRESCREEN_MODEL_READERS = CLUSTER_READERS | {Role.ACCOUNT_MANAGER, Role.PRODUCT_MANAGER, Role.POLICY_MANAGER}


@scope(PrescreenModel)
def prescreen_models(rows: QuerySet[PrescreenModel], actor: Actor) -> QuerySet[PrescreenModel]:
    return rows if actor.roles & PRESCREEN_MODEL_READERS else rows.none()


@scope(PrescreenRun)
def prescreen_runs(rows: QuerySet[PrescreenRun], actor: Actor) -> QuerySet[PrescreenRun]:
    return owned_or_within(rows, actor, subtree=CLUSTER_READERS, owner="cluster__owner")


@scope(PrescreenResult)
def prescreen_results(rows: QuerySet[PrescreenResult], actor: Actor) -> QuerySet[PrescreenResult]:
    return owned_or_within(
        rows, actor, subtree=CLUSTER_READERS, owner="run__cluster__owner", office="run__cluster__office"
    )


@scope(Relation)
def relations(rows: QuerySet[Relation], actor: Actor) -> QuerySet[Relation]:
    """As the customer on whose file they were recorded. `sees_from` and `sees_to`: whether an end has its name here."""
    seen = visible(Customer, actor)
    names = {f"sees_{end}": Exists(seen.filter(pk=OuterRef(f"{end}_party__customer_id"))) for end in ("from", "to")}
    rows = owned_or_within(rows, actor, subtree=INVESTIGATORS, owner="customer__owner")
    return rows.annotate(**names)


@scope(Watchlist)
def watchlists(rows: QuerySet[Watchlist], actor: Actor) -> QuerySet[Watchlist]:
    return rows if actor.roles & LIST_READERS else rows.none()


@scope(WatchlistEntry)
def watchlist_entries(rows: QuerySet[WatchlistEntry], actor: Actor) -> QuerySet[WatchlistEntry]:
    return rows if actor.roles & LIST_READERS else rows.none()


#: Who sees how a night of erasure went: numbers of the bank as a whole, and whom it had to leave.
NIGHT_READERS = frozenset({Role.BRANCH_MANAGER, Role.AUDITOR, Role.ADMINISTRATOR})


@scope(RetentionRun)
def retention_runs(rows: QuerySet[RetentionRun], actor: Actor) -> QuerySet[RetentionRun]:
    return rows if actor.roles & NIGHT_READERS else rows.none()


@scope(ErasureRequest)
def erasure_requests(rows: QuerySet[ErasureRequest], actor: Actor) -> QuerySet[ErasureRequest]:
    """Who erases or audits, in their offices; account managers those of their own customers and leads."""
    own = Q(customer__owner=actor.user_id) | Q(lead__owner=actor.user_id)
    mine = within_offices(actor, {Role.ACCOUNT_MANAGER}) & own
    return rows.filter(within_offices(actor, LEAD_READERS) | mine)


@scope(ScreeningHit)
def screening_hits(rows: QuerySet[ScreeningHit], actor: Actor) -> QuerySet[ScreeningHit]:
    """Whoever judges or audits, in their offices; account managers those of their own customers and leads."""
    own = Q(customer__owner=actor.user_id) | Q(lead__owner=actor.user_id)
    mine = within_offices(actor, {Role.ACCOUNT_MANAGER}) & own
    return rows.filter(within_offices(actor, HIT_READERS) | mine)
