"""Investigations: a visit filled in on a phone, three grades and three tables beside it, two signatures."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.attachments import attachments_of
from branch.queries.timeline import events_of_file
from branch.web.forms import ActionForm, DateField, MoneyField
from branch.web.noun import Action, Noun, register
from branch.web.panels import panels_of
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, NounTable, StateColumn
from loans.domain.findings import GRADED_FACTS
from loans.domain.machines import INVESTIGATION
from loans.models import Investigation
from loans.nouns.findings import grades_of, tables_of
from loans.queries.visibility import FILE_READERS
from loans.services import investigations

#: What is photographed on a visit.
PHOTOS = (
    ("shopfront", _("Shopfront")),
    ("workshop", _("Workshop")),
    ("stock", _("Stock")),
    ("nameplate", _("Equipment nameplate")),
    ("electricity_meter", _("Electricity meter")),
    ("water_meter", _("Water meter")),
    ("tax_return", _("Tax return")),
)


def _label(field: str) -> Any:
    return Investigation._meta.get_field(field).verbose_name  # type: ignore[union-attr]


def _use(field: str, places: int) -> forms.DecimalField:
    digits = Investigation._meta.get_field(field).max_digits  # type: ignore[union-attr]
    attrs = {"inputmode": "decimal", "autocomplete": "off", "data-money": ""}
    return _GroupedDecimal(
        label=_label(field),
        max_digits=digits,
        decimal_places=places,
        min_value=0,
        required=False,
        widget=forms.TextInput(attrs=attrs),
    )


def _degrees(label: Any) -> forms.DecimalField:
    attrs = {"inputmode": "decimal", "aria-label": label, "placeholder": label}
    return forms.DecimalField(
        label=label, max_digits=9, decimal_places=6, required=False, widget=forms.TextInput(attrs=attrs)
    )


class _GroupedDecimal(forms.DecimalField):
    """A number whose thousands may be grouped as typed."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace(",", "").replace("，", "") if isinstance(value, str) else value)


class RatingField(forms.TypedChoiceField):
    """Not met, partly or fully; the API takes 0, 1 or 2."""

    def __init__(self, field: str) -> None:
        super().__init__(
            label=_label(field),
            choices=Investigation.Rating.choices,
            coerce=int,
            empty_value=None,
            required=False,
            widget=forms.RadioSelect,
        )


class FactsForm(ActionForm):
    visited_on = DateField(label=_("Visited on"), required=False)
    visit_place = forms.CharField(label=_("Place"), max_length=200, required=False)
    visit_latitude = _degrees(_("Latitude"))
    visit_longitude = _degrees(_("Longitude"))
    repays_on_time = RatingField("repays_on_time")
    known_in_trade = RatingField("known_in_trade")
    family_stable = RatingField("family_stable")
    product_sells = RatingField("product_sells")
    margin_holds = RatingField("margin_holds")
    buyers_spread = RatingField("buyers_spread")
    title_clear = RatingField("title_clear")
    assets_cover = RatingField("assets_cover")
    assets_sellable = RatingField("assets_sellable")
    electricity_kwh = _use("electricity_kwh", 2)
    sales_per_kwh = _use("sales_per_kwh", 4)
    water_m3 = _use("water_m3", 2)
    sales_per_m3 = _use("sales_per_m3", 4)
    taxed_sales = MoneyField(label=_label("taxed_sales"), min_value=0, required=False)
    deviation_note = forms.CharField(
        label=_("Explanation of deviations"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed where a table is beyond the green tolerance."),
    )
    opinion = forms.CharField(
        label=_("Opinion"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )


class InvestigationSerializer(serializers.ModelSerializer):
    application_number = serializers.CharField(source="application.number", read_only=True)
    missing = serializers.SerializerMethodField(help_text=_("Required facts that were not observed yet."))

    class Meta:
        model = Investigation
        fields = (
            "id", "state", "version", "application", "application_number", "customer", "owner", "office",
            *FactsForm.base_fields, "findings", "missing", "signed_by_owner_at", "second", "signed_by_second_at",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_missing(self, investigation: Investigation) -> list[str]:
        return investigations.missing_facts(investigation)


class InvestigationTable(NounTable):
    application = LinkColumn()
    customer = tables.Column()
    state = StateColumn()
    visited_on = DateColumn()
    owner = tables.Column(verbose_name=_("account manager"))
    second = tables.Column(verbose_name=_("second investigator"))

    class Meta(NounTable.Meta):
        model = Investigation
        fields = ("application", "customer", "state", "visited_on", "owner", "second")


class InvestigationFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(INVESTIGATION), label=_("State"))

    class Meta:
        model = Investigation
        fields = {"application": ["exact"], "owner": ["exact"], "visited_on": ["gte", "lte"]}


def may_edit(investigation: Investigation, actor: Actor) -> bool:
    return INVESTIGATION_NOUN.action("update").offered(actor, investigation)


def visit_context(actor: Actor, investigation: Investigation) -> dict[str, Any]:
    """What follows from the facts, drawn anew whenever one was saved."""
    missing = investigations.missing_facts(investigation)
    return {
        "investigation": investigation,
        "grades": grades_of(investigation),
        "tables": tables_of(investigation),
        "tolerance": investigation.findings.get("tolerance"),
        "overall": investigation.findings.get("grades", {}).get("overall"),
        "risk_grade": investigation.findings.get("risk_grade"),
        "gaps": [(name, _label(name)) for name in missing],
        "fact_total": len(investigations.REQUIRED),
        "fact_done": len(investigations.REQUIRED) - len(missing),
        **_offers(investigation, actor),
    }


def _offers(investigation: Investigation, actor: Actor) -> dict[str, Any]:
    """The page itself is where facts are edited, so that is no button."""
    offers = [offer for offer in INVESTIGATION_NOUN.offers(actor, investigation) if offer.name != "update"]
    return {"offers": offers, "primary_offer": offers[0] if offers and offers[0].tone == "primary" else None}


def _context(investigation: Investigation, actor: Actor) -> dict[str, Any]:
    initial = {name: getattr(investigation, name) for name in FactsForm.base_fields}
    form = FactsForm(initial=initial, actor=actor, instance=investigation)
    taken = {file.kind: file for file in attachments_of(investigation).order_by("id")}
    context = visit_context(actor, investigation)
    return context | {
        "editing": may_edit(investigation, actor),
        "form": form,
        "tables_fields": [(table, [form[name] for name in table.fields]) for table in context["tables"]],
        "grades_fields": [(grade, [form[name] for name in grade.fields]) for grade in context["grades"]],
        "photos": [(kind, label, taken.get(kind)) for kind, label in PHOTOS],
        "stated": investigation.application.stated_annual_sales,
        "visit_facts": _visit_facts(investigation),
        "panels": panels_of("investigation", investigation, actor),
        "answers": [(_label(name), _answer(investigation, name)) for name in GRADED_FACTS],
    }


def _answer(investigation: Investigation, name: str) -> Any:
    value = getattr(investigation, name)
    return "" if value is None else Investigation.Rating(value).label


def _visit_facts(investigation: Investigation) -> list[tuple[Any, Any]]:
    latitude, longitude = investigation.visit_latitude, investigation.visit_longitude
    return [
        (_("Visited on"), investigation.visited_on),
        (_("Place"), investigation.visit_place),
        (_("Position"), f"{latitude}, {longitude}" if latitude is not None and longitude is not None else ""),
    ]


def _open_work(rows: Any, actor: Actor) -> Any:
    """The owner's unsigned visits, and for a co-investigator the files that wait for a second signature."""
    own = rows.filter(owner=actor.user_id, state="open", application__state="investigating")
    if Role.CO_INVESTIGATOR not in actor.roles:
        return own
    return own | rows.filter(state="signed_by_owner").exclude(owner=actor.user_id)


INVESTIGATION_NOUN = register(
    Noun(
        name="investigation",
        plural="investigations",
        model=Investigation,
        readers=FILE_READERS | {Role.ACCOUNT_MANAGER},
        serializer=InvestigationSerializer,
        table=InvestigationTable,
        filterset=InvestigationFilter,
        section="decide",
        icon="map-pin",
        search=lambda rows, text: (
            rows.filter(application__number__icontains=text) | rows.filter(customer__name__icontains=text)
        ),
        related=("application", "customer", "owner", "second"),
        template="loans/investigation.html",
        context=_context,
        events=events_of_file,
        open_work=_open_work,
        attachment_kinds=(*PHOTOS, ("document", _("Document"))),
        actions=(
            Action(
                "update",
                _("Edit"),
                investigations.save_investigation,
                form=FactsForm,
                roles=investigations.INVESTIGATORS,
                method="PATCH",
                partial=True,
                when=lambda investigation: investigation.state in ("open", *investigations.SIGNED),
                initial=lambda actor, thing: {name: getattr(thing, name) for name in FactsForm.base_fields},
                template="loans/visit_saved.html",
                answer_template="loans/visit_saved.html",
                context=visit_context,
            ),
            Action(
                "sign",
                _("Sign"),
                investigations.sign_as_owner,
                event="sign_by_owner",
                tone="primary",
                confirm=_("You state that you saw this yourself. A later change asks for both signatures again."),
            ),
            Action(
                "sign-second",
                _("Sign as second investigator"),
                investigations.sign_as_second,
                event="sign_by_second",
                tone="primary",
                confirm=_("You state that you saw this yourself. A later change asks for both signatures again."),
            ),
        ),
    )
)
