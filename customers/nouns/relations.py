"""Relations: recorded on a customer's page, drawn there, corrected and ended on their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_filters import BooleanFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.identity import mask_resident_id
from branch.domain.money import format_money
from branch.queries.parameters import parameter
from branch.web.forms import ActionForm, DateField, MoneyField
from branch.web.noun import Action, Noun, extend, register
from branch.web.panels import Panel, panel
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn
from customers.domain.parties import guarantee_chains, guarantee_circles
from customers.models import Customer, Party, Relation
from customers.nouns.customers import CUSTOMER_NOUN
from customers.queries.relations import Network, is_person, link_of, network_of
from customers.queries.visibility import INVESTIGATORS
from customers.services import relations

READERS = INVESTIGATORS | relations.RECORDERS
GROUND_WORDS = {
    "holds": _("holds %(share)s %%"),
    "controls": _("controls"),
    "declared": _("declared as such"),
    "manages": _("in charge of the daily business; nobody else was found"),
}
STYLES = {"guarantor": "guarantee", "spouse": "family", "family": "family"}


class FactsForm(ActionForm):
    share = forms.DecimalField(
        label=_("Share, %"),
        max_digits=7,
        decimal_places=4,
        min_value=0,
        max_value=100,
        required=False,
        help_text=_("Of a shareholder."),
    )
    amount = MoneyField(
        label=_("Amount guaranteed"), required=False, help_text=_("Of a guarantor; empty for all that is owed.")
    )
    since_date = DateField(label=_("Since"), required=False)
    until_date = DateField(label=_("Until"), required=False)
    source = forms.CharField(
        label=_("Source"), max_length=120, required=False, help_text=_("The register, a document, what was said.")
    )
    remark = forms.CharField(label=_("Remark"), max_length=200, required=False)

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        given = super().values(only)
        return {name: (value or "" if name in ("source", "remark") else value) for name, value in given.items()}


class RelationForm(FactsForm):
    """The other end is chosen from the file or described; a number that is on file finds who has it."""

    kind = forms.ChoiceField(label=_("Relation"), choices=Relation.Kind.choices)
    is_of_other = forms.BooleanField(
        label=_("The customer is this of the other, not the other of the customer"), required=False
    )
    party_id = forms.ModelChoiceField(Party.objects.none(), label=_("Who, if on this file already"), required=False)
    party_kind = forms.ChoiceField(label=_("Person or firm"), choices=[("", "—"), *Party.Kind.choices], required=False)
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    identity_number = forms.CharField(
        label=_("Resident identity number"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Of a person."),
    )
    uscc = forms.CharField(
        label=_("Unified social credit code"), max_length=30, required=False, help_text=_("Of a firm.")
    )
    of_party_id = forms.ModelChoiceField(
        Party.objects.none(),
        label=_("In the customer's place"),
        required=False,
        help_text=_("To record who stands behind a shareholder, choose the shareholder here."),
    )
    field_order = (
        "kind", "is_of_other", "party_id", "party_kind", "name", "identity_number", "uscc", "share", "amount",
        "since_date", "until_date", "source", "remark", "of_party_id",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        on_file = parties_on_file(self.instance) if isinstance(self.instance, Customer) else Party.objects.none()
        for name in ("party_id", "of_party_id"):
            self.fields[name].queryset = on_file  # type: ignore[attr-defined]

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        given = super().values(only)
        described = {name: given.pop(name) for name in tuple(relations.Other.__annotations__) if name in given}
        return {**given, "other": described}


class EndForm(ActionForm):
    ended_date = DateField(label=_("Ended on"), required=False, help_text=_("Empty for today."))
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class RevealPartyForm(ActionForm):
    end = forms.ChoiceField(label=_("Whose number"), choices=[("from", _("who")), ("to", _("of whom"))])
    reason = forms.CharField(
        label=_("Why you need it"), max_length=2000, help_text=_("Stands on the record with your name.")
    )


class RevealedNumberSerializer(serializers.Serializer):
    value = serializers.CharField()


def parties_on_file(customer: Customer) -> Any:
    """Outside parties that stand in a relation recorded on this file, by name."""
    rows = Party.objects.filter(customer=None)
    named = rows.filter(relations_from__customer=customer) | rows.filter(relations_to__customer=customer)
    return named.distinct().order_by("name", "pk")


class RelationSerializer(serializers.ModelSerializer):
    who = serializers.CharField(source="from_name", help_text=_("Masked where it is a customer who is not yours."))
    of_whom = serializers.CharField(source="to_name", help_text=_("Masked where it is a customer who is not yours."))

    class Meta:
        model = Relation
        fields = (
            "id", "version", "kind", "who", "of_whom", "share", "amount", "since_date", "until_date", "source",
            "remark", "ended_date", "customer", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class RelationTable(NounTable):
    from_party = LinkColumn(accessor="from_name", verbose_name=_("who"), order_by="from_party")
    kind = tables.Column()
    to_party = tables.Column(accessor="to_name", verbose_name=_("of whom"), order_by="to_party")
    share = NumberColumn()
    amount = MoneyColumn()
    since_date = DateColumn()
    ended_date = DateColumn()
    customer = tables.Column(linkify=lambda record: CUSTOMER_NOUN.url(record.customer))

    class Meta(NounTable.Meta):
        model = Relation
        fields = ("from_party", "kind", "to_party", "share", "amount", "since_date", "ended_date", "customer")


class RelationFilter(FilterSet):
    is_over = BooleanFilter("ended_date", lookup_expr="isnull", exclude=True, label=_("Ended"))

    class Meta:
        model = Relation
        fields = {"kind": ["exact"], "customer": ["exact"]}


def _facts(relation: Relation, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Who"), relation.from_name),
        (_("Relation"), relation.get_kind_display()),
        (_("Of whom"), relation.to_name),
        (_("Share, %"), relation.share),
        (_("Amount guaranteed"), relation.amount),
        (_("Since"), relation.since_date),
        (_("Until"), relation.until_date),
        (_("Source"), relation.source),
        (_("Remark"), relation.remark),
        (_("Ended on"), relation.ended_date),
        (_("Recorded on the file of"), relation.customer),
    ]


def _known(relation: Relation) -> dict[str, Any]:
    return {name: getattr(relation, name) for name in FactsForm.base_fields}


RELATION_NOUN = register(
    Noun(
        name="relation",
        plural="relations",
        model=Relation,
        readers=READERS,
        serializer=RelationSerializer,
        table=RelationTable,
        filterset=RelationFilter,
        section="find",
        icon="affiliate",
        related=("customer__owner", "from_party__customer", "to_party__customer"),
        search=lambda rows, text: rows.filter(customer__name__icontains=text),
        in_navigation=False,
        facts=_facts,
        actions=(
            Action(
                "correct",
                _("Correct"),
                relations.correct_relation,
                form=FactsForm,
                roles=relations.RECORDERS,
                method="PATCH",
                partial=True,
                when=lambda relation: relation.ended_date is None,
                initial=lambda actor, relation: _known(relation),
            ),
            Action(
                "reveal",
                _("Show an identity number"),
                relations.reveal_party,
                form=RevealPartyForm,
                roles=READERS,
                answer=lambda value: {"value": value},
                answer_serializer=RevealedNumberSerializer,
                answer_template="customers/number_revealed.html",
            ),
            Action(
                "end",
                _("It has ended"),
                relations.end_relation,
                form=EndForm,
                roles=relations.RECORDERS,
                tone="danger",
                when=lambda relation: relation.ended_date is None,
            ),
        ),
    )
)

extend(
    CUSTOMER_NOUN.name,
    Action("relate", _("Record a relation"), relations.add_relation, form=RelationForm, roles=relations.RECORDERS),
)


# --- on the customer's page


@panel("customer")
def people_and_links(customer: Customer, actor: Actor) -> Panel | None:
    """The people behind the customer, and everybody it is linked with: drawn, and as a table."""
    if not actor.roles & READERS:
        return None
    network = network_of(customer, actor)
    context = {
        "customer": customer,
        "may_record": _may_record(customer, actor),
        "owners": [_owner_row(network, owner) for owner in network.owners],
        "least_share": f"{parameter('owners.beneficial_share') * 100:.0f}",
        "rows": [_row(network, relation) for relation in network.relations],
        "drawing": drawing(network),
        "circles": [_named(network, circle) for circle in guarantee_circles(network.links)],
        "chains": [
            _named(network, chain) for chain in guarantee_chains(network.links, parameter("guarantee.long_chain"))
        ],
    }
    return Panel(_("Owners and links"), "customers/view/people.html", context, "people", whole=True)


def _may_record(customer: Customer, actor: Actor) -> bool:
    own = customer.owner_id == actor.user_id
    return own or actor.holds(relations.RECORDERS - {"account_manager"}, customer.office.path)


def _owner_row(network: Network, owner: Any) -> dict[str, Any]:
    party = network.parties[owner.node]
    relation = next(one for one in network.relations if owner.node in (one.from_party.node, one.to_party.node))
    is_known = owner.node in network.known_nodes
    number = party.identity_number or (party.customer.identity_number if party.customer else "") if is_known else ""
    share = f"{owner.share.normalize():f}" if owner.share else ""
    return {
        "name": network.name_of(owner.node),
        "grounds": [GROUND_WORDS[ground] % {"share": f"{owner.share:.2f}"} for ground in owner.grounds],
        "share": share,
        "number": mask_resident_id(number) if number else "",
        "relation": relation if relation.pk in network.seen_relations else None,
        "end": "from" if relation.from_party.node == owner.node else "to",
    }


def _row(network: Network, relation: Relation) -> dict[str, Any]:
    return {
        "relation": relation,
        "who": network.name_of(relation.from_party.node),
        "who_url": _url(network, relation.from_party),
        "of_whom": network.name_of(relation.to_party.node),
        "of_whom_url": _url(network, relation.to_party),
        # The row is opened by whoever sees its file.
        "url": RELATION_NOUN.url(relation)
        if relation.customer_id == network.customer.pk or relation.customer_id in network.seen_customers
        else "",
    }


def _url(network: Network, party: Party) -> str:
    opens = party.customer_id in network.seen_customers and party.node != network.node
    return CUSTOMER_NOUN.url(party.customer) if opens else ""


def drawing(network: Network) -> dict[str, Any]:
    """The links as static/js/charts.js draws them."""
    on_circle = {
        pair
        for circle in guarantee_circles(network.links)
        for pair in zip(circle, (*circle[1:], circle[0]), strict=True)
    }

    def label(relation: Relation) -> str:
        if relation.share is not None:
            return f"{relation.get_kind_display()} {relation.share.normalize():f} %"
        amount = f" {format_money(relation.amount)}" if relation.amount is not None else ""
        return f"{relation.get_kind_display()}{amount}"

    def style(relation: Relation) -> str:
        link = link_of(relation)
        if link.kind == "guarantor" and (link.source, link.target) in on_circle:
            return "circle"
        return STYLES.get(link.kind, "control")

    return {
        "kind": "graph",
        "nodes": [
            {
                "id": node,
                "name": network.name_of(node),
                "url": _url(network, party),
                "is_person": is_person(party),
                "is_centre": node == network.node,
            }
            for node, party in network.parties.items()
        ],
        "links": [
            {
                "source": one.from_party.node,
                "target": one.to_party.node,
                "label": label(one),
                "style": style(one),
            }
            for one in network.relations
        ],
    }


def _named(network: Network, nodes: Iterable[str]) -> str:
    return gettext(" guarantees ").join(network.name_of(node) for node in nodes)
