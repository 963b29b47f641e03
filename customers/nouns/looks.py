"""Who looked at a customer, for the branch manager, the auditor and the account manager."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from branch.domain.actor import Actor
from branch.models import Event
from branch.web.panels import Panel, panel
from customers.models import Customer, CustomerLook
from customers.queries.merges import files_of
from customers.queries.visibility import LEAD_READERS

SHOWN = 12


@panel("customer")
def looked_at_by(customer: Customer, actor: Actor) -> Panel | None:
    """The last days and people, and what personal data was shown to whom for what reason."""
    if customer.owner_id != actor.user_id and not actor.holds(LEAD_READERS, customer.office.path):
        return None
    files = files_of(customer)
    looks = CustomerLook.objects.filter(customer__in=files).select_related("user").order_by("-date", "-pk")[:SHOWN]
    reveals = Event.objects.filter(customer_id__in=files, name__in=("customer.reveal", "relation.reveal"))
    context = {"looks": looks, "reveals": reveals.order_by("-id")[:SHOWN]}
    return Panel(_("Looked at by"), "customers/view/looks.html", context, "looks")
