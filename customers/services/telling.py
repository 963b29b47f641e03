"""Who is told of what happens to leads and customers, after the commit."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from branch.queries.notifications import notice
from branch.services.notifications import notify
from branch.services.outbox import consumer

LEAD_GIVEN = notice("lead.reassigned", _("A lead was handed over to you"))
LEADS_COME = notice("leads.given", _("New leads came in for you: %(number)s"))
SUGGESTION_ANSWERED = notice("suggestion.answered", _("Head office answered your suggestion"))
CUSTOMER_GIVEN = notice("customer.reassigned", _("A customer was handed over to you"))


@consumer("lead.reassigned", "new owner")
def tell_of_lead(payload: dict[str, Any]) -> None:
    notify(payload["owner_id"], LEAD_GIVEN, reverse("lead-detail", args=[payload["lead_id"]]))


@consumer("leads.given", "new owner")
def tell_of_leads(payload: dict[str, Any]) -> None:
    notify(payload["owner_id"], LEADS_COME, f"{reverse('lead-list')}?state=new", number=payload["number"])


@consumer("suggestion.answered", "who suggested it")
def tell_of_answer(payload: dict[str, Any]) -> None:
    notify(payload["owner_id"], SUGGESTION_ANSWERED, reverse("suggestion-detail", args=[payload["suggestion_id"]]))


@consumer("customer.reassigned", "new owner")
def tell_of_customer(payload: dict[str, Any]) -> None:
    notify(payload["owner_id"], CUSTOMER_GIVEN, reverse("customer-detail", args=[payload["customer_id"]]))
