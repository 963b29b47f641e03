"""How long a customer's data is kept, for the section of its page that asks for it when it is looked at."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from branch.web.pages import thing
from customers.nouns.customers import CUSTOMER_NOUN
from customers.nouns.retention import picture


@login_required
@require_safe
def retention_section(request: HttpRequest, pk: int) -> HttpResponse:
    customer = thing(CUSTOMER_NOUN, request, pk)
    template = "customers/view/retention.html" if request.htmx else "customers/retention.html"  # type: ignore[attr-defined]
    return render(request, template, {"panel": picture(customer), "object": customer, "noun": CUSTOMER_NOUN})
