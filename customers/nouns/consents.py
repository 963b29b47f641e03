"""Consents of customers: what they allowed the bank to ask elsewhere, until when."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.queries.business_date import business_date
from branch.web.forms import ActionForm, DateField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.panels import Panel, panel
from branch.web.tables import DateColumn, LinkColumn, NounTable
from customers.models import Consent, ConsentScope, Customer
from customers.queries.consents import in_force
from customers.queries.merges import files_of
from customers.queries.visibility import CUSTOMER_READERS, open_customers
from customers.services import consents


class ConsentForm(ActionForm):
    customer_id = forms.ModelChoiceField(Customer.objects.none(), label=_("Customer"))
    scope = forms.ChoiceField(label=_("What for"), choices=ConsentScope.choices)
    given_by_name = forms.CharField(label=_("Given by"), max_length=60, help_text=_("Who signed it."))
    given_on = DateField(label=_("Given on"))
    expires_on = DateField(label=_("Expires on"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = open_customers(self.actor).filter(owner=self.actor.user_id).order_by("name")
        self.fields["customer_id"].queryset = own  # type: ignore[attr-defined]


class ConsentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Consent
        fields = (
            "id", "version", "customer", "scope", "given_by_name", "given_on", "expires_on", "withdrawn_on", "owner",
            "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ConsentTable(NounTable):
    customer = LinkColumn()
    scope = tables.Column()
    given_by_name = tables.Column()
    given_on = DateColumn()
    expires_on = DateColumn()
    withdrawn_on = DateColumn()

    class Meta(NounTable.Meta):
        model = Consent
        fields = ("customer", "scope", "given_by_name", "given_on", "expires_on", "withdrawn_on")


class ConsentFilter(FilterSet):
    class Meta:
        model = Consent
        fields = {"customer": ["exact"], "scope": ["exact"], "expires_on": ["lte"]}


register(
    Noun(
        name="consent",
        plural="consents",
        model=Consent,
        readers=CUSTOMER_READERS | consents.RECORDERS,
        serializer=ConsentSerializer,
        table=ConsentTable,
        filterset=ConsentFilter,
        section="find",
        icon="signature",
        related=("customer", "owner"),
        in_navigation=False,
        facts=lambda consent, actor: [
            (_("Customer"), consent.customer),
            (_("What for"), consent.get_scope_display()),
            (_("Given by"), consent.given_by_name),
            (_("Given on"), consent.given_on),
            (_("Expires on"), consent.expires_on),
            (_("Withdrawn on"), consent.withdrawn_on),
            (_("Recorded by"), consent.owner),
        ],
        attachment_kinds=(("document", _("Document")), ("photo", _("Photo"))),
        actions=(
            Action(
                "create",
                _("Record a consent"),
                consents.record_consent,
                form=ConsentForm,
                on="list",
                roles=consents.RECORDERS,
                tone="primary",
                initial=lambda actor, obj: {"given_on": business_date()},
            ),
            Action(
                "withdraw",
                _("Withdraw"),
                consents.withdraw_consent,
                form=ReasonForm,
                roles=consents.WITHDRAWERS,
                tone="danger",
                when=lambda consent: consent.withdrawn_on is None,
                confirm=_("Nobody is asked about this customer on its ground any more; what was asked before stays."),
            ),
        ),
    )
)


@panel("customer")
def consents_of(customer: Customer, actor: Actor) -> Panel | None:
    rows = list(Consent.objects.filter(customer__in=files_of(customer)).order_by("-given_on", "-pk")[:20])
    today = business_date()
    holding = set(in_force(today).filter(customer__in=files_of(customer)).values_list("pk", flat=True))
    context = {
        "rows": [(row, row.pk in holding) for row in rows],
        "customer": customer,
        "may_record": customer.owner_id == actor.user_id,
    }
    return Panel(_("Consents"), "customers/consents.html", context, "consents")
