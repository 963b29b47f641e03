"""The size class of a customer from the figures on file, and what the classes are called."""

from __future__ import annotations

from typing import Any

from django.utils.translation import pgettext_lazy

from customers.domain.size_class import SizeClass, size_class
from customers.models import Customer

SIZE_CLASSES: dict[str, Any] = {
    SizeClass.MICRO: pgettext_lazy("size class", "Micro"),
    SizeClass.SMALL: pgettext_lazy("size class", "Small"),
    SizeClass.MEDIUM: pgettext_lazy("size class", "Medium"),
    SizeClass.LARGE: pgettext_lazy("size class", "Large"),
}


def size_class_of(customer: Customer) -> str:
    """The size class from the figures on file; empty where one is missing."""
    return size_class(customer.industry, employees=customer.employees, sales=customer.annual_sales) or ""
