"""A loan after its first day: `replay(terms, events)` serves it, `standing(account, day)` says where it is."""

from loans.domain.servicing.account import Account, Posting, open_account
from loans.domain.servicing.events import Event, EventType, PayoffInterest, Servicing, Surplus
from loans.domain.servicing.replay import replay
from loans.domain.servicing.standing import ServedRow, Standing, served_rows, standing

__all__ = [
    "Account",
    "Event",
    "EventType",
    "PayoffInterest",
    "Posting",
    "ServedRow",
    "Servicing",
    "Standing",
    "Surplus",
    "open_account",
    "replay",
    "served_rows",
    "standing",
]
