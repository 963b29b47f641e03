"""Applications: one page that files them, saved as typed with the price beside it, and the file as it stands later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import django_tables2 as tables
from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, Unmet
from branch.domain.roles import Role
from branch.queries.parameters import parameter
from branch.queries.timeline import events_of_file
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, MoneyField
from branch.web.noun import Action, Noun, extend, register
from branch.web.panels import Panel, panel, panels_of
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, StateColumn
from branch.words import listed
from customers.models import Customer
from customers.nouns.customer_view import masks
from customers.nouns.customers import CUSTOMER_NOUN
from customers.queries.merges import files_of
from customers.queries.screening import with_hits
from customers.queries.visibility import open_customers
from loans.domain.machines import APPLICATION
from loans.forms.plan import PlanField, plan_text
from loans.models import Application, Investigation, Product, ProductVersion
from loans.models.product import FrequencyUnit, GuaranteeMode, RepaymentMethod
from loans.nouns.findings import grades_of, table_of_check, tables_of
from loans.nouns.products import product_name
from loans.nouns.quotes import QuoteView, quote_view
from loans.queries.applications import Missing, defaults_for, fact_count, missing_facts, sales_checks
from loans.queries.offer_fit import CRITERIA, criterion_word, eligibility
from loans.queries.renewals import conditions_of
from loans.queries.visibility import FILE_READERS
from loans.services import applications, contracts, offers
from loans.services.pricing import price_application, problems_of

MANAGER = applications.MANAGER


class TermsForm(ActionForm):
    """What is asked for."""

    product_id = forms.ModelChoiceField(queryset=Product.objects.none(), label=_("Product"))
    amount = MoneyField(label=_("Amount"))
    instalments = forms.IntegerField(label=_("Instalments"), min_value=1, max_value=1200)
    frequency_every = forms.IntegerField(label=_("Units per instalment"), min_value=1, max_value=366)
    frequency_unit = forms.ChoiceField(label=_("Instalment unit"), choices=FrequencyUnit.choices)
    repayment_method = forms.ChoiceField(
        label=_("Repayment method"), choices=RepaymentMethod.choices, widget=forms.RadioSelect
    )
    guarantee_mode = forms.ChoiceField(label=_("Guarantee"), choices=GuaranteeMode.choices, widget=forms.RadioSelect)
    due_day = forms.IntegerField(label=_("Due day of the month"), min_value=1, max_value=31, required=False)
    principal_grace = forms.IntegerField(label=_("Instalments without principal"), min_value=0, required=False)
    interest_grace = forms.IntegerField(label=_("Instalments with deferred interest"), min_value=0, required=False)
    plan = PlanField(label=_("Agreed plan"), required=False)
    purpose = forms.CharField(
        label=_("Purpose"), max_length=200, required=False, help_text=_("What the money buys, with the contract price.")
    )
    stated_annual_sales = MoneyField(label=_("Stated sales of last year"), min_value=0, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        products = Product.objects.filter(versions__state="active").order_by("code")
        self.fields["product_id"].queryset = products  # type: ignore[attr-defined]
        self.fields["product_id"].label_from_instance = product_name  # type: ignore[attr-defined]

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        """Cleaned values less those of the product's own fields that its page did not show."""
        values = super().values(only)
        hidden = {name for name in ("due_day", "principal_grace", "interest_grace", "plan") if name not in self.data}
        empty = {name for name in ("principal_grace", "interest_grace") if values.get(name) is None}
        return {name: value for name, value in values.items() if name not in hidden | empty}


class NewForm(TermsForm):
    """A customer, and of the rest only what differs from what the bank proposes."""

    customer_id = forms.ModelChoiceField(
        queryset=Customer.objects.none(), label=_("Customer"), widget=forms.Select(attrs={"data-search": ""})
    )
    field_order = ("customer_id",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = open_customers(self.actor).filter(owner=self.actor.user_id).order_by("name")
        self.fields["customer_id"].queryset = own  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            field.required = name == "customer_id"

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        return {name: value for name, value in super().values(only).items() if value not in (None, "")}


class NewForCustomerForm(ActionForm):
    product_id = forms.ModelChoiceField(queryset=Product.objects.none(), label=_("Product"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        products = Product.objects.filter(versions__state="active").order_by("code")
        self.fields["product_id"].queryset = products  # type: ignore[attr-defined]
        self.fields["product_id"].label_from_instance = product_name  # type: ignore[attr-defined]


class ApplicationSerializer(serializers.ModelSerializer):
    customer_name = serializers.CharField(source="customer.name", read_only=True)
    product = serializers.IntegerField(source="product_version.product_id", read_only=True)
    investigation = serializers.SerializerMethodField()
    eligibility = serializers.SerializerMethodField(
        help_text=_("Every criterion of the product: what it wants, what was found, whether it holds.")
    )
    renewal_conditions = serializers.SerializerMethodField(
        help_text=_("Of a file that renews a loan: the five conditions, and what stands against each.")
    )
    missing = serializers.SerializerMethodField(help_text=_("What a draft still lacks before it can be submitted."))

    class Meta:
        model = Application
        fields = (
            "id", "state", "version", "number", "customer", "customer_name", "owner", "office", "product",
            "product_version", "amount", "instalments", "frequency_unit", "frequency_every", "repayment_method",
            "guarantee_mode", "principal_grace", "interest_grace", "due_day", "plan", "purpose", "stated_annual_sales",
            "quote", "missing", "submitted_at", "investigation",
            "approved_amount", "approved_rate", "offer_expires_date", "outcome_reason", "eligibility", "renews",
            "renewal_statement", "renewal_conditions", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_investigation(self, application: Application) -> int | None:
        return Investigation.objects.filter(application=application).values_list("pk", flat=True).first()

    def get_eligibility(self, application: Application) -> list[dict[str, Any]]:
        return [
            {"code": check.code.value, "wanted": check.wanted, "found": check.found, "holds": check.holds}
            for check in eligibility(application)
        ]

    def get_renewal_conditions(self, application: Application) -> list[dict[str, Any]]:
        return [
            {"code": held.condition.value, "holds": held.holds, "grounds": [ground.value for ground in held.grounds]}
            for held in conditions_of(application)
        ]

    def get_missing(self, application: Application) -> list[str]:
        if application.state != "draft":
            return []
        return [f"{fact.of}.{fact.code}" for fact in missing_facts(application)]


class ApplicationTable(NounTable):
    number = LinkColumn()
    customer = tables.Column()
    amount = MoneyColumn()
    product = tables.Column(accessor="product_version__product", verbose_name=_("product"))
    state = StateColumn()
    submitted_at = DateColumn(verbose_name=_("submitted at"))
    owner = tables.Column()

    class Meta(NounTable.Meta):
        model = Application
        fields = ("number", "customer", "amount", "product", "state", "submitted_at", "owner")


class ApplicationFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(APPLICATION), label=_("State"))

    class Meta:
        model = Application
        fields = {
            "customer": ["exact"],
            "owner": ["exact"],
            "guarantee_mode": ["exact"],
            "amount": ["gte", "lte"],
            "submitted_at": ["date__gte", "date__lte"],
        }


# --- the page that files -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gap:
    """Something missing, and where it is filled in: on this page, or on the customer's."""

    label: str
    target: str
    url: str


def is_filing(application: Application, actor: Actor) -> bool:
    return application.state == "draft" and application.owner_id == actor.user_id


def filing_context(actor: Actor, application: Application) -> dict[str, Any]:
    """What stands beside the form, and is drawn anew whenever something was saved."""
    missing = missing_facts(application)
    total = fact_count(application)
    version = application.product_version
    return {
        "application": application,
        "methods": _choices(RepaymentMethod, version.repayment_methods, application.repayment_method),
        "guarantees": _choices(GuaranteeMode, version.guarantee_modes, application.guarantee_mode),
        **_filing_offers(application, actor),
        "quote": _live_quote(application),
        "plan_text": plan_text(application.plan),
        "gaps": [_gap(application, fact) for fact in missing],
        "problems": _problem_lines(application),
        "fact_total": total,
        "fact_done": total - len(missing),
        "checks": [(table_of_check(row.check), row.source) for row in sales_checks(application)],
        "tolerance": _tolerance(),
    }


def _filing_offers(application: Application, actor: Actor) -> dict[str, Any]:
    """The steps from here; typing needs no button of its own."""
    offers = [offer for offer in APPLICATION_NOUN.offers(actor, application) if offer.name != "update"]
    return {"offers": offers, "primary_offer": offers[0] if offers and offers[0].tone == "primary" else None}


def _choices(kinds: Any, allowed: list[str], chosen: str) -> list[tuple[str, Any, bool, bool]]:
    """What the product allows, and what is chosen even so: (code, word, chosen, allowed)."""
    return [
        (code, word, code == chosen, code in allowed)
        for code, word in kinds.choices
        if code in allowed or code == chosen
    ]


def _tolerance() -> dict[str, Any]:
    return {"green": parameter("deviation.tolerance_green"), "amber": parameter("deviation.tolerance_amber")}


def _live_quote(application: Application) -> QuoteView | None:
    try:
        return quote_view(price_application(application))
    except (InvalidInput, Unmet):
        return None


def _gap(application: Application, fact: Missing) -> Gap:
    if fact.of == "application":
        return Gap(fact.label, f"#id_{fact.code}", "")
    back = reverse("application-detail", args=[application.pk])
    url = f"{reverse('customer-update', args=[application.customer_id])}?next={back}"
    return Gap(fact.label, "", url)


def _problem_lines(application: Application) -> list[tuple[str, str]]:
    return [(f"#id_{name}", message) for name, messages in problems_of(application).items() for message in messages]


def _known_facts(customer: Customer) -> list[tuple[Any, Any]]:
    hidden = masks(customer)
    return [
        (_("Unified social credit code"), customer.uscc),
        (_("Established"), customer.established_date),
        (_("Industry"), customer.industry),
        (_("Employees"), customer.employees),
        (_("Owner or legal representative"), customer.contact_name),
        (_("Resident identity number"), hidden["identity_number"]),
        (_("Business address"), hidden["address"]),
        (_("Repayment account"), hidden["repayment_account"]),
    ]


def _initial(application: Application) -> dict[str, Any]:
    terms = {name: getattr(application, name) for name in TermsForm.base_fields if name != "product_id"}
    return {"product_id": application.product_version.product_id} | terms


def _context(application: Application, actor: Actor) -> dict[str, Any]:
    if is_filing(application, actor):
        return filing_context(actor, application) | _filing_page(application, actor)
    investigation = _investigation(application, actor)
    mine = application.owner_id == actor.user_id
    return {
        "panels": panels_of("application", application, actor),
        "terms": _terms(application),
        "criteria": _criteria(application),
        "quote": quote_view(application.quote),
        "investigation": investigation,
        "grades": grades_of(investigation) if investigation else [],
        "tables": tables_of(investigation) if investigation else [],
        "tolerance": investigation.findings.get("tolerance") if investigation else None,
        "to_visit": application.state == "investigating" and (mine or Role.CO_INVESTIGATOR in actor.roles),
    }


def _filing_page(application: Application, actor: Actor) -> dict[str, Any]:
    """What the page that files shows once, besides what is drawn anew."""
    filed = application.customer.applications.exclude(pk=application.pk).exclude(state="draft").order_by("-pk")
    known = _known_facts(application.customer)
    longest = application.product_version.max_term_days
    return {
        "filing": True,
        "form": TermsForm(initial=_initial(application), actor=actor, instance=application),
        "known": known,
        "known_count": sum(1 for _label, value in known if value),
        "last_file": filed.first(),
        "term_buttons": [n for n in (3, 6, 12, 24, 36, 60) if n * 30 <= longest],
        "panels": panels_of("application", application, actor),
    }


def _investigation(application: Application, actor: Actor) -> Investigation | None:
    return visible(Investigation, actor).select_related("owner", "second").filter(application=application).first()


def _terms(application: Application) -> list[tuple[Any, Any]]:
    unit = application.get_frequency_unit_display()
    later = [
        (_("Approved amount"), application.approved_amount),
        (_("Offer stands until"), application.offer_expires_date),
        (_("Reason"), application.outcome_reason),
    ]
    return [
        (_("Customer"), application.customer),
        (_("Product"), f"{product_name(application.product_version.product)} v{application.product_version.number}"),
        (_("Amount"), application.amount),
        (_("Instalments"), f"{application.instalments} × {application.frequency_every} {unit}"),
        (_("Repayment method"), application.get_repayment_method_display()),
        (_("Guarantee"), application.get_guarantee_mode_display()),
        *_chosen(application),
        (_("Purpose"), application.purpose),
        (_("Stated sales of last year"), application.stated_annual_sales),
        (_("Account manager"), application.owner),
        (_("Submitted at"), application.submitted_at),
        *((label, value) for label, value in later if value),
    ]


def _chosen(application: Application) -> list[tuple[Any, Any]]:
    """What the file chose of what its product leaves open."""
    chosen = [
        (_("Due day of the month"), application.due_day),
        (_("Instalments without principal"), application.principal_grace),
        (_("Instalments with deferred interest"), application.interest_grace),
        (_("Agreed plan"), plan_text(application.plan) if application.repayment_method == "agreed_plan" else ""),
    ]
    return [(label, value) for label, value in chosen if value]


def _criteria(application: Application) -> list[tuple[Any, str, bool | None]]:
    """The product's criteria in words: (name, what was found, whether it holds)."""
    return [
        (
            CRITERIA[check.code],
            listed(criterion_word(check.code, value) for value in check.found or check.wanted),
            check.holds,
        )
        for check in eligibility(application)
    ]


def _search(rows: Any, text: str) -> Any:
    return rows.filter(number__icontains=text) | rows.filter(customer__name__icontains=text)


def _open_work(rows: Any, actor: Actor) -> Any:
    """What waits for the owner: drafts, files to investigate or taken back, offers to be answered."""
    states = ("draft", "submitted", "returned", "approved", "offer_accepted")
    return rows.filter(owner=actor.user_id, state__in=states)


APPLICATION_NOUN = register(
    Noun(
        name="application",
        plural="applications",
        model=Application,
        readers=FILE_READERS | {Role.ACCOUNT_MANAGER, Role.DISBURSEMENT_OFFICER},
        serializer=ApplicationSerializer,
        table=ApplicationTable,
        filterset=ApplicationFilter,
        section="decide",
        icon="file-text",
        search=_search,
        related=("customer", "owner", "product_version__product"),
        template="loans/application.html",
        context=_context,
        events=lambda application: with_hits(events_of_file(application), application.customer),
        open_work=_open_work,
        attachment_kinds=(
            ("purpose", _("Proof of purpose")),
            ("statement", _("Account statement")),
            ("licence", _("Business licence")),
            ("condition", _("Proof of a condition")),
            ("document", _("Document")),
        ),
        actions=(
            Action(
                "create",
                _("New application"),
                applications.draft_application,
                form=NewForm,
                on="list",
                roles=MANAGER,
                tone="primary",
            ),
            Action(
                "update",
                _("Edit"),
                applications.update_application,
                form=TermsForm,
                roles=MANAGER,
                method="PATCH",
                partial=True,
                when=lambda application: application.state == "draft",
                initial=lambda actor, application: _initial(application),
                template="loans/filing_saved.html",
                answer_template="loans/filing_saved.html",
                context=filing_context,
            ),
            Action("submit", _("Submit application"), applications.submit_application, event="submit", tone="primary"),
            Action(
                "investigate",
                _("Start the investigation"),
                applications.start_investigation,
                event="investigate",
                tone="primary",
            ),
            Action("resume", _("Take up again"), applications.resume_application, event="resume", tone="primary"),
            Action(
                "accept-offer",
                _("Customer accepts the offer"),
                offers.accept_offer,
                event="accept_offer",
                tone="primary",
            ),
            Action("contract", _("Make the contract"), contracts.generate_contract, event="contract", tone="primary"),
        ),
    )
)

extend(
    CUSTOMER_NOUN.name,
    Action(
        "apply",
        _("New application"),
        applications.draft_application,
        form=NewForCustomerForm,
        roles=MANAGER,
        tone="primary",
        initial=lambda actor, customer: {"product_id": _usual_product(customer)},
    ),
)


def _usual_product(customer: Customer) -> int | None:
    version: ProductVersion | None = defaults_for(customer).get("product_version")
    return version.product_id if version else None


@panel("customer")
def applications_of_customer(customer: Customer, actor: Actor) -> Panel | None:
    """The customer's files this person may see, newest first."""
    if not actor.roles & APPLICATION_NOUN.readers:
        return None
    rows = (
        visible(Application, actor).filter(customer__in=files_of(customer)).select_related("product_version__product")
    )
    files = rows.order_by("-pk")[:10]
    context = {"files": files, "customer": customer}
    return Panel(_("Applications"), "loans/customer_applications.html", context, "applications")
