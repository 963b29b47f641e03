"""The round over payments nobody has an answer for: whatever a lost worker or a silent bank left behind."""

from __future__ import annotations

import structlog

from branch.models import PaymentInstruction
from branch.services import payments
from loans.services.debits import ask_about_collection, send_collection
from loans.services.payouts import ask_about_payout, send_payout

logger = structlog.get_logger(__name__)
MOST_AT_ONCE = 50
Kind, State = PaymentInstruction.Kind, PaymentInstruction.State
SEND = {Kind.PAYOUT: send_payout, Kind.COLLECTION: send_collection}
ASK = {Kind.PAYOUT: ask_about_payout, Kind.COLLECTION: ask_about_collection}


def resume_payments(limit: int = MOST_AT_ONCE) -> int:
    """Send what was never sent and ask about what has no answer; how many were taken up.

    Ends at the first silence: a bank that is down would keep every worker waiting for nothing.
    """
    rows = payments.unanswered().values_list("pk", "kind", "state")[:limit]
    for tried, (pk, kind, state) in enumerate(list(rows), 1):
        step = (SEND if state == State.CREATED else ASK)[Kind(kind)]
        try:
            if not step(instruction_id=pk):
                return tried
        except Exception:
            # One that can't be booked is left for the next round; the others go on.
            logger.exception("payment could not be resumed", instruction=pk)
    return len(rows)
