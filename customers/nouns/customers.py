"""Customers: one page for all that is known, personal data masked until somebody says why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django_tables2 as tables
from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.calendar import add_months
from branch.domain.identity import mask_account, mask_phone, mask_resident_id
from branch.domain.money import format_money
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.web.forms import ActionForm
from branch.web.noun import Action, Noun, register
from branch.web.panels import panels_of
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable
from customers.models import Customer, ExternalRecord
from customers.nouns.people import ReassignForm
from customers.nouns.profiles import ProfileForm
from customers.nouns.records import ReceiptSerializer, RowsForm, receipt_body
from customers.queries.invoices import months_by_source
from customers.queries.records import Series, record_series
from customers.queries.search import matching
from customers.queries.visibility import CUSTOMER_READERS, INVESTIGATORS
from customers.services import customers, records

MANAGER = customers.MANAGER
REVEAL_CHOICES = [
    ("identity_number", _("Resident identity number")),
    ("phone", _("Phone")),
    ("address", _("Business address")),
    ("repayment_account", _("Repayment account")),
]


class CorrectForm(ProfileForm):
    """Personal data does not stand in the form: what is typed replaces it, an empty field leaves it as it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hidden = masks(self.instance) if isinstance(self.instance, Customer) else {}
        for name, mask in hidden.items():
            self.fields[name].widget.attrs["placeholder"] = mask
            if mask:
                self.fields[name].help_text = _("Leave empty to keep what is on file.")

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        given = super().values(only)
        return {name: value for name, value in given.items() if value or name not in customers.REVEALABLE}


class RevealForm(ActionForm):
    field = forms.ChoiceField(label=_("What to show"), choices=REVEAL_CHOICES)
    reason = forms.CharField(
        label=_("Why you need it"), max_length=2000, help_text=_("Stands on the record with your name.")
    )


class RevealedSerializer(serializers.Serializer):
    value = serializers.CharField()


def masks(customer: Customer) -> dict[str, str]:
    """The personal fields as everybody who sees the customer sees them; empty where nothing is on file."""
    tail = gettext("ending in {tail}")
    return {
        "identity_number": mask_resident_id(customer.identity_number) if customer.identity_number else "",
        "phone": mask_phone(customer.phone) if customer.phone else "",
        "address": f"{customer.address[:3]}****" if customer.address else "",
        "repayment_account": mask_account(customer.repayment_account, pattern=tail)
        if customer.repayment_account
        else "",
    }


class CustomerSerializer(serializers.ModelSerializer):
    identity_number = serializers.SerializerMethodField(help_text=_("Masked."))
    phone = serializers.SerializerMethodField(help_text=_("Masked."))
    address = serializers.SerializerMethodField(help_text=_("Masked."))
    repayment_account = serializers.SerializerMethodField(help_text=_("Masked."))

    class Meta:
        model = Customer
        fields = (
            "id", "version", "kind", "name", "uscc", "contact_name", "identity_number", "phone", "address",
            "repayment_account", "industry", "established_date", "employees", "annual_sales", "owner", "office",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_identity_number(self, customer: Customer) -> str:
        return masks(customer)["identity_number"]

    def get_phone(self, customer: Customer) -> str:
        return masks(customer)["phone"]

    def get_address(self, customer: Customer) -> str:
        return masks(customer)["address"]

    def get_repayment_account(self, customer: Customer) -> str:
        return masks(customer)["repayment_account"]


class CustomerTable(NounTable):
    name = LinkColumn()
    kind = tables.Column()
    uscc = tables.Column(verbose_name=_("USCC"))
    industry = tables.Column()
    annual_sales = MoneyColumn()
    owner = tables.Column()
    created_at = DateColumn()

    class Meta(NounTable.Meta):
        model = Customer
        fields = ("name", "kind", "uscc", "industry", "annual_sales", "owner", "created_at")


class CustomerFilter(FilterSet):
    class Meta:
        model = Customer
        fields = {"kind": ["exact"], "owner": ["exact"], "industry": ["icontains"], "annual_sales": ["gte", "lte"]}


def _context(customer: Customer, actor: Actor) -> dict[str, Any]:
    personal = masks(customer)
    sees_figures = actor.holds(INVESTIGATORS, customer.office.path) or customer.owner_id == actor.user_id
    series = record_series(customer, until=business_date()) if sees_figures else []
    return {
        "personal": [(code, label, personal[code]) for code, label in REVEAL_CHOICES],
        "known": _known_facts(customer),
        "charts": [
            *(_invoice_charts(customer) if sees_figures else []),
            *(_chart(number, one) for number, one in enumerate(series)),
        ],
        "panels": panels_of("customer", customer, actor),
    }


def _known_facts(customer: Customer) -> list[tuple[Any, Any]]:
    return [
        (_("Kind"), customer.get_kind_display()),
        (_("Unified social credit code"), customer.uscc),
        (_("Owner or legal representative"), customer.contact_name),
        (_("Industry"), customer.industry),
        (_("Established"), customer.established_date),
        (_("Employees"), customer.employees),
        (_("Last year's sales"), customer.annual_sales),
        (_("Account manager"), customer.owner),
        (_("Office"), customer.office),
    ]


def _chart(number: int, series: Series) -> dict[str, Any]:
    """A series as a chart whose heading says how the last month stands to the one before."""
    metric = ExternalRecord.Metric(series.metric).label
    last = series.points[-1]
    title = gettext("%(metric)s in %(month)s: %(value)s") % {
        "metric": metric,
        "month": f"{last.month:%Y-%m}",
        "value": f"{last.value:,.0f}",
    }
    return {
        "id": f"series-{number}",
        "title": title,
        "note": gettext("Source: %(source)s") % {"source": series.source},
        "data": {
            "kind": "line",
            "x": [f"{point.month:%Y-%m}" for point in series.points],
            "series": [{"name": metric, "data": [float(point.value) for point in series.points]}],
        },
    }


def _invoice_charts(customer: Customer) -> list[dict[str, Any]]:
    """Sales and purchases by invoice, month by month, of each source; a month opens its invoices."""
    charts = []
    for source, months in months_by_source(customer).items():
        last = months[-1]
        of_customer = f"{reverse('invoice-list')}?customer={customer.pk}"
        ends = [add_months(m.month, 1) - timedelta(days=1) for m in months]
        rows = [
            f"{of_customer}&invoice_date__gte={m.month}&invoice_date__lte={end}"
            for m, end in zip(months, ends, strict=True)
        ]
        title = gettext(
            "%(amount)s of sales by invoice in the twelve months to %(month)s, %(active)d of them active"
        ) % {
            "amount": format_money(last.year_sales),
            "month": f"{last.month:%Y-%m}",
            "active": last.months_active,
        }
        charts.append(
            {
                "id": f"invoices-{source.pk}",
                "title": title,
                "note": gettext("Source: %(source)s, worked out %(at)s. Voids are left out, red invoices subtracted.")
                % {"source": source.name, "at": f"{timezone.localtime(last.refreshed_at):%Y-%m-%d %H:%M}"},
                "data": {
                    "kind": "line",
                    "x": [f"{m.month:%Y-%m}" for m in months],
                    "series": [
                        {"name": gettext("sales"), "data": [float(m.sales) for m in months], "urls": rows},
                        {"name": gettext("purchases"), "data": [float(m.purchases) for m in months], "urls": rows},
                    ],
                },
            }
        )
    return charts


def _known(customer: Customer) -> dict[str, Any]:
    shown = set(ProfileForm.base_fields) - set(customers.REVEALABLE)
    return {field: getattr(customer, field) for field in shown}


CUSTOMER_NOUN = register(
    Noun(
        name="customer",
        plural="customers",
        model=Customer,
        readers=CUSTOMER_READERS | MANAGER,
        serializer=CustomerSerializer,
        table=CustomerTable,
        filterset=CustomerFilter,
        section="find",
        icon="building-store",
        search=matching,
        related=("owner",),
        template="customers/customer.html",
        context=_context,
        attachment_kinds=(
            ("licence", _("Business licence")),
            ("identity", _("Identity document")),
            ("photo", _("Photo")),
            ("document", _("Document")),
        ),
        actions=(
            Action(
                "create",
                _("New customer"),
                customers.create_customer,
                form=ProfileForm,
                on="list",
                roles=MANAGER,
                tone="primary",
            ),
            Action(
                "update",
                _("Edit"),
                customers.update_customer,
                form=CorrectForm,
                roles=MANAGER,
                method="PATCH",
                partial=True,
                initial=lambda actor, customer: _known(customer),
            ),
            Action(
                "records",
                _("Take in outside figures"),
                records.receive_records,
                form=RowsForm,
                roles=frozenset({Role.ACCOUNT_MANAGER, Role.POST_LOAN_OFFICER}),
                answer=receipt_body,
                answer_serializer=ReceiptSerializer,
                answer_template="customers/receipt.html",
            ),
            Action(
                "reveal",
                _("Show personal data"),
                customers.reveal_personal,
                form=RevealForm,
                roles=CUSTOMER_READERS | MANAGER,
                answer=lambda value: {"value": value},
                answer_serializer=RevealedSerializer,
                answer_template="customers/revealed.html",
            ),
            Action(
                "reassign",
                _("Hand over"),
                customers.reassign_customer,
                form=ReassignForm,
                roles=frozenset({Role.BRANCH_MANAGER}),
            ),
        ),
    )
)
