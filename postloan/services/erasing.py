"""What was written about an erased customer after release."""

from __future__ import annotations

from collections.abc import Collection

from customers.services.erasing import eraser
from postloan.models import CollectionCase, Inspection, WarningCase


@eraser
def erase_after_release(ids: Collection[int]) -> None:
    WarningCase.objects.filter(customer__in=ids).update(findings="", action="")
    Inspection.objects.filter(customer__in=ids).update(findings="", return_reason="")
    CollectionCase.objects.filter(customer__in=ids).update(note="")
