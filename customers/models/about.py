from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class AboutOne(models.Model):
    """What is about a customer or about a lead, never both: subclasses have `customer` and `lead`, one of them null."""

    class Meta:
        abstract = True

    @property
    def subject(self) -> Any:
        """The customer, or the lead."""
        return self.customer or self.lead  # type: ignore[attr-defined]

    @property
    def subject_label(self) -> str:
        return f"{'customer' if self.customer_id else 'lead'} {self.customer_id or self.lead_id}"  # type: ignore[attr-defined]

    @property
    def subject_owner_id(self) -> int | None:
        return self.subject.owner_id if self.subject else None


def is_about_one(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(customer__isnull=False, lead__isnull=True) | Q(customer__isnull=True, lead__isnull=False), name=name
    )
