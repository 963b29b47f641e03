from approvals.models.authority import Authority
from approvals.models.review import Review, ReviewStage

__all__ = ["Authority", "Review", "ReviewStage"]
