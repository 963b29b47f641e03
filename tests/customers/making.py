"""Customers and leads for tests, with numbers whose check digits are right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from stdnum.cn import ric, uscc

from branch.domain.actor import Actor
from branch.models import Event, Office
from customers.models import Customer, Lead, RecordSource
from customers.services import customers, leads


def uscc_of(number: int) -> str:
    body = f"91330212MA{number:07d}"
    return body + uscc.calc_check_digit(body)


def resident_id_of(number: int) -> str:
    body = f"33021219800101{number:03d}"
    return body + ric.calc_check_digit(body + "0")


def profile(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "company",
        "name": f"梅林五金制品有限公司{number}",
        "uscc": uscc_of(number),
        "contact_name": "林美玉",
        "identity_number": resident_id_of(number),
        "phone": "13800138000",
        "address": "江北五金城 B 区 12 号",
        "industry": "金属制品业",
        "annual_sales": Decimal("8600000.00"),
        "repayment_account": "6222020200012345678",
    } | changes


def register_sources(**names: str) -> None:
    """Sources of outside figures by code, at the head office."""
    head = Office.objects.get(parent=None)
    for code, name in names.items():
        RecordSource.objects.get_or_create(code=code, defaults={"name": name, "office": head})


def make_customer(actor: Actor, number: int = 1, **changes: Any) -> Customer:
    return customers.create_customer(actor=actor, **profile(number, **changes))


def make_lead(actor: Actor, **changes: Any) -> Lead:
    """A lead, also where another firm of this phone is on file."""
    values: dict[str, Any] = {
        "name": "梅林五金",
        "contact_name": "林美玉",
        "phone": "138 0013 8000",
        "source": "visit",
        "capture_anyway": True,
        "anyway_reason": "另一家",
    }
    return leads.capture_lead(actor=actor, **(values | changes))


def qualified_lead(actor: Actor, **changes: Any) -> Lead:
    lead = make_lead(actor, **changes)
    leads.contact_lead(actor=actor, lead_id=lead.pk)
    return leads.qualify_lead(actor=actor, lead_id=lead.pk)


def event_names(subject: Any) -> list[str]:
    rows = Event.objects.filter(subject_type=subject._meta.model_name, subject_id=str(subject.pk)).order_by("id")
    return list(rows.values_list("name", flat=True))


def state_of_world() -> tuple[Any, ...]:
    """Everything a refused call must leave as it was."""
    return (
        list(Lead.objects.order_by("pk").values()),
        list(Customer.objects.order_by("pk").values()),
        Event.objects.count(),
    )
