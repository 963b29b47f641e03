"""Products and their versions, published by head office; the prime rate as it is announced."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.web.forms import ActionForm, DateField, MoneyField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn, RateColumn, StateColumn
from branch.words import listed
from loans.domain.machines import POLICY
from loans.models import LprRate, Product, ProductVersion
from loans.models.product import DayCount, GuaranteeMode, RepaymentMethod
from loans.nouns.fields import KeyedNumbersField, LinesField
from loans.queries.visibility import STAFF
from loans.services import prime_rates, products
from loans.services.products import MANAGERS
from loans.services.version_offer import GRADES


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


def _rate_field(label: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=8, decimal_places=6, min_value=0, help_text=_("A fraction a year: 0.0395 is 3.95 %.")
    )


class OfferForm(ActionForm):
    """What a version offers."""

    min_amount = MoneyField(label=_("Smallest amount"))
    max_amount = MoneyField(label=_("Largest amount"))
    max_term_days = forms.IntegerField(label=_("Longest term, days"), min_value=1)
    repayment_methods = forms.MultipleChoiceField(
        label=_("Repayment methods"), choices=RepaymentMethod.choices, widget=forms.CheckboxSelectMultiple
    )
    guarantee_modes = forms.MultipleChoiceField(
        label=_("Guarantees taken"), choices=GuaranteeMode.choices, widget=forms.CheckboxSelectMultiple
    )
    day_count = forms.ChoiceField(label=_("Day count"), choices=DayCount.choices)
    margin_bp = forms.IntegerField(label=_("Product margin, basis points"))
    grade_margins_bp = KeyedNumbersField(
        label=_("Margin by risk grade, basis points"), choices=[(grade, grade) for grade in GRADES]
    )
    guarantee_discounts_bp = KeyedNumbersField(
        label=_("Discount by guarantee, basis points"), choices=GuaranteeMode.choices
    )
    repeat_discount_bp = forms.IntegerField(
        label=_("Discount from the second loan on, basis points"), min_value=0, initial=0
    )
    rate_floor = _rate_field(_("Lowest rate"))
    rate_cap = _rate_field(_("Highest rate"))
    required_documents = LinesField(
        label=_("Documents required before release"), required=False, help_text=_("One per line.")
    )
    prepayment_allowed = forms.BooleanField(label=_("Early repayment is allowed"), required=False, initial=True)


class DraftForm(OfferForm):
    product_id = forms.ModelChoiceField(queryset=Product.objects.order_by("code"), label=_("Product"))
    field_order = ("product_id",)


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
    former = (
        ProductVersion.objects.filter(product=version.product_id, number__lt=version.number).order_by("-number").first()
    )
    mine, theirs = _offer_facts(version), dict(_offer_facts(former)) if former else {}
    rows = [(label, theirs.get(label), value, bool(theirs) and theirs.get(label) != value) for label, value in mine]
    return {"rows": rows, "former": former, "name": product_name(version.product)}


def _offer_of(version: ProductVersion) -> dict[str, Any]:
    return {name: getattr(version, name) for name in OfferForm.base_fields}


def _offer_facts(version: ProductVersion) -> list[tuple[str, str]]:
    methods, guarantees = dict(RepaymentMethod.choices), dict(GuaranteeMode.choices)
    amounts = f"{version.min_amount:,.2f} – {version.max_amount:,.2f}"
    facts = [
        (_("Amount"), amounts),
        (_("Longest term, days"), f"{version.max_term_days:,}"),
        (_("Repayment methods"), listed(methods.get(code, code) for code in version.repayment_methods)),
        (_("Guarantees taken"), listed(guarantees.get(code, code) for code in version.guarantee_modes)),
        (_("Day count"), version.get_day_count_display()),
        (_("Product margin, basis points"), f"{version.margin_bp:+d}"),
        (_("Margin by risk grade, basis points"), _pairs(version.grade_margins_bp, {}, "+")),
        (_("Discount by guarantee, basis points"), _pairs(version.guarantee_discounts_bp, guarantees, "−")),
        (_("Discount from the second loan on, basis points"), f"−{version.repeat_discount_bp}"),
        (_("Rate"), f"{version.rate_floor * 100:.2f}% – {version.rate_cap * 100:.2f}%"),
        (_("Documents required before release"), listed(version.required_documents)),
        (_("Early repayment is allowed"), _("Yes") if version.prepayment_allowed else _("No")),
    ]
    return [(str(label), str(value) or "—") for label, value in facts]


def _pairs(values: dict[str, int], words: dict[str, Any], sign: str) -> str:
    return listed(f"{words.get(key, key)} {sign}{value}" for key, value in values.items())


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
        ),
    )
)
