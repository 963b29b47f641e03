"""Products and their versions, published by head office; the prime rate as it is announced."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput
from branch.domain.roles import Role
from branch.web.forms import ActionForm, DateField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn, RateColumn, StateColumn
from customers.services.record_files import content_of
from loans.domain.machines import POLICY
from loans.models import LprRate, Product, ProductVersion
from loans.models.product import RepaymentMethod
from loans.nouns.offer_form import EXAMPLE_FIELDS, DraftForm, ExampleForm, OfferForm
from loans.nouns.offer_words import changes, offer_facts
from loans.nouns.quotes import quote_view
from loans.queries.visibility import STAFF
from loans.services import examples, prime_rates, products
from loans.services.examples import Example
from loans.services.lpr_files import read_announcements
from loans.services.products import MANAGERS
from loans.services.version_offer import Offer


class ProductForm(ActionForm):
    code = forms.CharField(label=_("Code"), max_length=20)
    name_zh = forms.CharField(label=_("Name (Chinese)"), max_length=80)
    name_en = forms.CharField(label=_("Name (English)"), max_length=80)
    family = forms.ChoiceField(label=_("Family"), choices=Product.Family.choices)


class LprForm(ActionForm):
    published_date = DateField(label=_("Published on"))
    one_year = forms.DecimalField(label=_("1Y, percent"), max_digits=5, decimal_places=2)
    five_year = forms.DecimalField(label=_("5Y+, percent"), max_digits=5, decimal_places=2)
    source = forms.CharField(label=_("Source"), max_length=120)


class LprFileForm(ActionForm):
    """Announcements as a spreadsheet, or as rows in JSON."""

    file = forms.FileField(
        label=_("Spreadsheet"),
        required=False,
        help_text=_("CSV or Excel; columns date, 1Y and 5Y+ in percent; a column source where rows differ."),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )
    source = forms.CharField(
        label=_("Source"), max_length=120, required=False, help_text=_("Where rows without one of their own are from.")
    )
    rows = forms.JSONField(
        label=_("Rows"),
        required=False,
        widget=forms.HiddenInput(),
        help_text=_('A list of {"published_date", "one_year", "five_year", "source"}.'),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload = cleaned.pop("file", None)
        if upload is not None:
            try:
                cleaned["rows"] = read_announcements(content_of(upload), source=cleaned.get("source") or "")
            except InvalidInput as refusal:
                for message in refusal.fields["file"]:
                    self.add_error("file", message)
        elif not isinstance(cleaned.get("rows"), list) or not all(isinstance(row, dict) for row in cleaned["rows"]):
            self.add_error("file", _("Choose a file."))
        return cleaned

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        return {"rows": self.cleaned_data["rows"]}


class LprRowSerializer(serializers.Serializer):
    row = serializers.IntegerField()
    published_date = serializers.CharField()
    one_year = serializers.CharField()
    five_year = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["added", "unchanged", "refused"])
    reason = serializers.CharField()


class LprReportSerializer(serializers.Serializer):
    added = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    rows = LprRowSerializer(many=True)


class ExampleAnswerSerializer(serializers.Serializer):
    quote = serializers.DictField(help_text=_("As a file keeps it, with the rows of the plan."))
    compared_with = serializers.IntegerField(allow_null=True, help_text=_("The version on sale."))
    changed = serializers.ListField(child=serializers.CharField(), help_text=_("Fields that differ from it."))


class LprAnswerSerializer(serializers.Serializer):
    added = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class ProductSerializer(serializers.ModelSerializer):
    active_version = serializers.SerializerMethodField()

    class Meta:
        model = Product
        fields = ("id", "code", "name_zh", "name_en", "family", "active_version")
        read_only_fields = fields

    def get_active_version(self, product: Product) -> int | None:
        return product.versions.filter(state="active").values_list("pk", flat=True).first()


class VersionSerializer(serializers.ModelSerializer):
    class Meta:
        model = ProductVersion
        fields = (
            "id", "state", "version", "product", "number", "drafted_by", "activated_by", "active_from_date",
            *OfferForm.base_fields, "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ProductTable(NounTable):
    code = LinkColumn()
    name_zh = tables.Column()
    name_en = tables.Column()
    family = tables.Column()

    class Meta(NounTable.Meta):
        model = Product
        fields = ("code", "name_zh", "name_en", "family")


class VersionTable(NounTable):
    product = LinkColumn()
    number = NumberColumn()
    state = StateColumn()
    active_from_date = DateColumn()
    min_amount = MoneyColumn()
    max_amount = MoneyColumn()
    rate_floor = RateColumn()
    rate_cap = RateColumn()

    class Meta(NounTable.Meta):
        model = ProductVersion
        fields = (
            "product", "number", "state", "active_from_date", "min_amount", "max_amount", "rate_floor", "rate_cap",
        )  # fmt: skip


class ProductFilter(FilterSet):
    class Meta:
        model = Product
        fields = {"family": ["exact"]}


class VersionFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(POLICY), label=_("State"))

    class Meta:
        model = ProductVersion
        fields = {"product": ["exact"]}


def publish_lpr(*, actor: Actor, **row: Any) -> dict[str, int]:
    """Record one announcement of the prime rate. Sending it again changes nothing."""
    answer = prime_rates.record_lpr(actor=actor, **row)
    return {name: answer[name] for name in ("added", "unchanged")}


def product_name(product: Product) -> str:
    """The name in the reader's language."""
    return product.name_zh if (get_language() or "").startswith("zh") else product.name_en


def _version_context(version: ProductVersion, actor: Actor) -> dict[str, Any]:
    former = _compared_with(version)
    theirs = {(code, label): value for code, _t, rows in offer_facts(former) for label, value in rows} if former else {}
    sections = [
        (title, [(label, theirs.get((code, label)), value) for label, value in rows])
        for code, title, rows in offer_facts(version)
    ]
    return {
        "sections": sections,
        "former": former,
        "changed": changes(version, former),
        "name": product_name(version.product),
    }


def _compared_with(version: ProductVersion) -> ProductVersion | None:
    """What a version is held against: the one on sale; where that is itself or there is none, the one before."""
    others = ProductVersion.objects.filter(product=version.product_id).exclude(pk=version.pk)
    on_sale = others.filter(state="active").first() if version.state in ("draft", "submitted") else None
    return on_sale or others.filter(number__lt=version.number).order_by("-number").first()


def _offer_of(version: ProductVersion) -> dict[str, Any]:
    return {name: getattr(version, name) for name in OfferForm.base_fields}


def _editor(actor: Actor, version: ProductVersion | None) -> dict[str, Any]:
    """What stands beside the form: the loan to try the offer on."""
    form = ExampleForm(actor=actor, initial={"example_frequency": "month:1", "example_instalments": 12})
    return {"trial": [form[name] for name in EXAMPLE_FIELDS], "product_id": version.product_id if version else ""}


def _example_context(actor: Actor, example: Example | None) -> dict[str, Any]:
    if example is None:
        return {}
    return {
        "quote": quote_view(example.quote),
        "example": example,
        "changed": changes(example.version, example.on_sale),
        "method": dict(RepaymentMethod.choices)[example.quote["method"]],
        "amount": Decimal(example.quote["amount"]),
    }


def _example_answer(example: Example) -> dict[str, Any]:
    on_sale = example.on_sale
    changed = [
        name for name in Offer.__annotations__ if on_sale and getattr(on_sale, name) != getattr(example.version, name)
    ]
    return {"quote": example.quote, "compared_with": on_sale and on_sale.pk, "changed": changed}


def _product_facts(product: Product, actor: Actor) -> list[tuple[Any, Any]]:
    latest = LprRate.objects.order_by("-published_date").first()
    return [
        (_("Code"), product.code),
        (_("Name (Chinese)"), product.name_zh),
        (_("Name (English)"), product.name_en),
        (_("Family"), product.get_family_display()),
        (
            _("Latest prime rate"),
            f"{latest.one_year}% / {latest.five_year}%, {latest.published_date}" if latest else "",
        ),
    ]


PRODUCT_NOUN = register(
    Noun(
        name="product",
        plural="products",
        model=Product,
        readers=STAFF,
        serializer=ProductSerializer,
        table=ProductTable,
        filterset=ProductFilter,
        section="account_for",
        icon="packages",
        ordering=("code",),
        api_ordering=("id", "code"),
        search=lambda rows, text: (
            rows.filter(code__icontains=text)
            | rows.filter(name_zh__icontains=text)
            | rows.filter(name_en__icontains=text)
        ),
        template="loans/product.html",
        facts=_product_facts,
        context=lambda product, actor: {"versions": product.versions.order_by("-number")},
        actions=(
            Action(
                "create",
                _("New product"),
                products.create_product,
                form=ProductForm,
                on="list",
                bank_wide=True,
                roles=MANAGERS,
                tone="primary",
            ),
            Action(
                "lpr",
                _("Record the prime rate"),
                publish_lpr,
                form=LprForm,
                on="list",
                bank_wide=True,
                roles=MANAGERS | {Role.POLICY_MANAGER},
                answer=lambda counts: counts,
                answer_serializer=LprAnswerSerializer,
                answer_template="loans/lpr_recorded.html",
            ),
            Action(
                "lpr-import",
                _("Import prime rates"),
                prime_rates.import_lpr,
                form=LprFileForm,
                on="list",
                bank_wide=True,
                roles=MANAGERS | {Role.POLICY_MANAGER},
                template="loans/lpr_import.html",
                answer=lambda report: report,
                answer_serializer=LprReportSerializer,
                answer_template="loans/lpr_imported.html",
                context=lambda actor, thing: {"history": LprRate.objects.order_by("-published_date")},
            ),
        ),
    )
)

VERSION_NOUN = register(
    Noun(
        name="product_version",
        plural="product-versions",
        model=ProductVersion,
        readers=STAFF,
        serializer=VersionSerializer,
        table=VersionTable,
        filterset=VersionFilter,
        section="account_for",
        icon="versions",
        search=lambda rows, text: (
            rows.filter(product__code__icontains=text) | rows.filter(product__name_zh__icontains=text)
        ),
        related=("product", "drafted_by", "activated_by"),
        template="loans/product_version.html",
        context=_version_context,
        in_navigation=False,
        actions=(
            Action(
                "create",
                _("Draft a version"),
                products.draft_product_version,
                form=DraftForm,
                on="list",
                bank_wide=True,
                roles=MANAGERS,
                tone="primary",
                partial=True,
                template="loans/product_editor.html",
                full_page=True,
                context=_editor,
            ),
            Action(
                "example",
                _("Try it on an example"),
                examples.price_example,
                form=ExampleForm,
                on="list",
                in_menu=False,
                bank_wide=True,
                roles=MANAGERS,
                partial=True,
                template="loans/product_example.html",
                answer=_example_answer,
                answer_serializer=ExampleAnswerSerializer,
                answer_template="loans/product_example.html",
                context=_example_context,
            ),
            Action(
                "revise",
                _("Draft the next version"),
                products.revise_product_version,
                form=OfferForm,
                roles=MANAGERS,
                partial=True,
                status=201,
                when=lambda version: version.state in ("active", "retired"),
                initial=lambda actor, version: _offer_of(version),
                template="loans/product_editor.html",
                full_page=True,
                context=_editor,
            ),
            Action(
                "update",
                _("Edit"),
                products.update_product_version,
                form=OfferForm,
                roles=MANAGERS,
                method="PATCH",
                partial=True,
                when=lambda version: version.state == "draft",
                initial=lambda actor, version: _offer_of(version),
                template="loans/product_editor.html",
                full_page=True,
                context=_editor,
            ),
            Action("submit", _("Submit"), products.submit_product_version, event="submit", tone="primary"),
            Action(
                "activate",
                _("Put on sale"),
                products.activate_product_version,
                event="activate",
                tone="primary",
                confirm=_("This version goes on sale from today; the one on sale now is retired."),
            ),
            Action(
                "reject",
                _("Send back"),
                products.reject_product_version,
                form=ReasonForm,
                event="reject",
                tone="danger",
            ),
            Action(
                "retire",
                _("Take off sale"),
                products.retire_product_version,
                form=ReasonForm,
                event="retire",
                tone="danger",
                confirm=_("Nothing takes its place. Running files keep it."),
            ),
        ),
    )
)
