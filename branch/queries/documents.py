"""How documents stand today, by the bank's own days of notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q

from branch.domain.documents import Standing, standing_of
from branch.queries.business_date import business_date
from branch.queries.parameters import parameters


@dataclass(frozen=True)
class DocumentRule:
    """Today, the days of notice before a last day, and the kinds the bank wants of every customer."""

    today: date
    notice_days: int
    required: tuple[str, ...]

    @property
    def notice_ends(self) -> date:
        return self.today + timedelta(days=self.notice_days)

    def standing(self, expires_on: date | None) -> Standing:
        return standing_of(expires_on, self.today, self.notice_days)

    def where(self, standing: str) -> Q:
        """Documents that stand so today. Raises ValueError for no standing."""
        return {
            Standing.VALID: Q(expires_on__gt=self.notice_ends),
            Standing.SOON: Q(expires_on__range=(self.today, self.notice_ends)),
            Standing.EXPIRED: Q(expires_on__lt=self.today),
            Standing.UNDATED: Q(expires_on=None),
        }[Standing(standing)]


def document_rule(today: date | None = None) -> DocumentRule:
    """In two queries, for as many documents as are looked at."""
    today = today or business_date()
    found = parameters("documents.expiry_notice_days", "documents.required_kinds", on=today)
    return DocumentRule(today, found["documents.expiry_notice_days"], tuple(found["documents.required_kinds"]))
