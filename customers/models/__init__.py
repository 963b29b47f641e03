from customers.models.campaign import Campaign, CampaignCost, ReferralLink
from customers.models.cluster import ChainDocument, Cluster, ClusterMember
from customers.models.consent import Consent, ConsentScope
from customers.models.customer import Customer
from customers.models.external_record import ExternalRecord, RecordDetail
from customers.models.feed import Feed, PullCall, PullRun
from customers.models.invoice import Invoice, InvoiceMonth
from customers.models.lead import Lead
from customers.models.lead_visit import LeadVisit
from customers.models.look import CustomerLook
from customers.models.merge import CustomerMerge
from customers.models.metric import Metric
from customers.models.party import Party, Relation
from customers.models.prescreen import PrescreenModel, PrescreenResult, PrescreenRun
from customers.models.record_import import ImportFinding, RecordImport, TouchedMonth
from customers.models.record_source import FirmCode, RecordSource
from customers.models.retention import ErasureRequest, RetentionRun
from customers.models.screening import ScreeningHit, ScreeningRun, Watchlist, WatchlistEntry, WatchlistPiece
from customers.models.suggestion import Suggestion, SuggestionVote

__all__ = [
    "Campaign",
    "CampaignCost",
    "ChainDocument",
    "Cluster",
    "ClusterMember",
    "Consent",
    "ConsentScope",
    "Customer",
    "CustomerLook",
    "CustomerMerge",
    "ErasureRequest",
    "ExternalRecord",
    "Feed",
    "FirmCode",
    "ImportFinding",
    "Invoice",
    "InvoiceMonth",
    "Lead",
    "LeadVisit",
    "Metric",
    "Party",
    "PrescreenModel",
    "PrescreenResult",
    "PrescreenRun",
    "PullCall",
    "PullRun",
    "RecordDetail",
    "RecordImport",
    "RecordSource",
    "ReferralLink",
    "Relation",
    "RetentionRun",
    "ScreeningHit",
    "ScreeningRun",
    "Suggestion",
    "SuggestionVote",
    "TouchedMonth",
    "Watchlist",
    "WatchlistEntry",
    "WatchlistPiece",
]
