"""Customers: one page for all that is known, personal data masked until somebody says why."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_filters import BooleanFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.web.forms import ActionForm
from branch.web.noun import Action, Noun, register
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable
from customers.models import Customer
from customers.nouns.customer_view import REVEAL_CHOICES, masks, sections
from customers.nouns.people import ReassignForm
from customers.nouns.profiles import ProfileForm
from customers.nouns.records import ReceiptSerializer, RowsForm, receipt_body
from customers.queries.duplicates import with_second_files
from customers.queries.merges import events_of_customer
from customers.queries.screening import with_hits
from customers.queries.search import matching
from customers.queries.visibility import CUSTOMER_READERS
from customers.services import customers, records
from customers.services.looks import note_look

MANAGER = customers.MANAGER


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
            "merged_into", "created_at",
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
    # A million rows are sorted by what has an index; the others are filtered by.
    kind = tables.Column(orderable=False)
    uscc = tables.Column(verbose_name=_("USCC"), orderable=False)
    industry = tables.Column(orderable=False)
    annual_sales = MoneyColumn()
    owner = tables.Column(orderable=False)
    created_at = DateColumn()

    def render_name(self, value: str, record: Customer) -> Any:
        """One that was merged into another says so."""
        return (
            format_html("{} <span class='quiet'>· {}</span>", value, gettext("merged")) if record.is_merged else value
        )

    class Meta(NounTable.Meta):
        model = Customer
        fields = ("name", "kind", "uscc", "industry", "annual_sales", "owner", "created_at")


class CustomerFilter(FilterSet):
    second_file = BooleanFilter(method="narrow_to_second_files", label=_("May be on file twice"))

    class Meta:
        model = Customer
        fields = {"kind": ["exact"], "owner": ["exact"], "industry": ["icontains"], "annual_sales": ["gte", "lte"]}

    def narrow_to_second_files(self, rows: QuerySet[Customer], name: str, value: bool) -> QuerySet[Customer]:
        return with_second_files(rows) if value else rows.exclude(pk__in=with_second_files(rows).values("pk"))


def _context(customer: Customer, actor: Actor) -> dict[str, Any]:
    return {"sections": sections(customer, actor)}


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
        events=lambda customer: with_hits(events_of_customer(customer), customer),
        template="customers/customer.html",
        context=_context,
        opened=note_look,
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
                even_retired=True,
                when=lambda customer: not customer.refuses_more(),
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
