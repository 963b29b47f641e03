"""Two files of one customer: finding the second, merging it in, undoing that; what the pages of both show of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.money import format_money
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, ReasonForm
from branch.web.noun import Action, extend
from branch.web.panels import Panel, panel
from customers.models import Customer, CustomerMerge
from customers.nouns.customer_view import REVEAL_CHOICES, masks
from customers.nouns.customers import CUSTOMER_NOUN
from customers.queries.duplicates import second_files_of
from customers.queries.merges import files_of, live_merge
from customers.queries.visibility import open_customers
from customers.services import merges

#: What is set side by side, beside the masked personal data.
_SHOWN = ("kind", "name", "contact_name", "industry", "established_date", "employees", "annual_sales", "owner")


class MergeForm(ActionForm):
    """The other file is chosen among those that look alike; over the API any the person sees may be named."""

    other_id = forms.ModelChoiceField(queryset=Customer.objects.none(), label=_("The other file"))
    reason = forms.CharField(
        label=_("How you know that they are one"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["other_id"]
        if not isinstance(self.instance, Customer):
            return
        rows = open_customers(self.actor).exclude(pk=self.instance.pk)
        field.queryset = rows  # type: ignore[attr-defined]
        alike = {
            match.thing.pk: f"{match.thing} · {match.word}"
            for match in second_files_of(self.instance, self.actor)
            if match.is_visible
        }
        named = str(self.data.get("other_id") or self.initial.get("other_id") or "")
        if named.isdigit() and int(named) not in alike and (other := rows.filter(pk=int(named)).first()):
            alike[other.pk] = str(other)
        field.widget.choices = [("", "—"), *alike.items()]
        if not alike:
            field.help_text = _("No other customer has the same number or phone, or a name like it.")


class ComparedSerializer(serializers.Serializer):
    fact = serializers.CharField()
    kept = serializers.CharField(help_text=_("As it would stand; personal data masked."))
    other = serializers.CharField()
    is_taken = serializers.BooleanField(help_text=_("Taken over from the other file."))


class MergeTellingSerializer(serializers.Serializer):
    kept = serializers.IntegerField()
    merged = serializers.IntegerField()
    filled = serializers.ListField(child=serializers.CharField(), help_text=_("Facts taken over from the other file."))
    relations = serializers.IntegerField(help_text=_("How many relations go over."))
    rows = ComparedSerializer(many=True)


def _told(kept: Customer) -> dict[str, Any]:
    """Both files side by side as they stand after the merge."""
    merge = kept.merges.select_related("merged__owner").order_by("-pk")[0]
    other, taken = merge.merged, set(merge.filled)
    rows = [(name, _label(name), _value(kept, name), _value(other, name)) for name in _SHOWN]
    # The code itself has gone over by now; two files never have one each.
    rows.append(("uscc", _label("uscc"), kept.uscc or "", merge.moved_uscc))
    one, two = masks(kept), masks(other)
    rows += [(name, label, one[name], two[name]) for name, label in REVEAL_CHOICES]
    taken |= {"uscc"} if merge.moved_uscc else set()
    return {
        "kept": kept.pk,
        "merged": other.pk,
        "filled": sorted(taken),
        "relations": len(merge.moved_relations),
        "rows": [
            {"fact": str(label), "kept": mine, "other": theirs, "is_taken": name in taken}
            for name, label, mine, theirs in rows
            if mine or theirs
        ],
    }


def _label(name: str) -> Any:
    return Customer._meta.get_field(name).verbose_name  # type: ignore[union-attr]


def _value(customer: Customer, name: str) -> str:
    value = customer.get_kind_display() if name == "kind" else getattr(customer, name)
    return "" if value is None else format_money(value) if isinstance(value, Decimal) else str(value)


extend(
    CUSTOMER_NOUN.name,
    Action(
        "merge",
        _("Merge a second file"),
        merges.merge_customers,
        form=MergeForm,
        roles=merges.MERGERS,
        full_page=True,
        confirm=_(
            "The other file is read as part of this one from then on. What was booked on it stays as it was booked; "
            "it can be undone."
        ),
        preview=_told,
        preview_template="customers/merge_preview.html",
        preview_serializer=MergeTellingSerializer,
    ),
    Action(
        "undo-merge",
        _("Undo the merge"),
        merges.undo_merge,
        form=ReasonForm,
        roles=merges.MERGERS,
        tone="danger",
        even_retired=True,
        when=lambda customer: customer.merged_into_id is not None,
        confirm=_("The file is a customer of its own again. What came to the other since stays there."),
    ),
)


@panel("customer")
def other_files(customer: Customer, actor: Actor) -> Panel | None:
    """Files that were merged into this one; on such a file, into which. A file that is not the reader's has no name."""
    if customer.is_merged:
        merge = live_merge(customer)
        told = {"merge": merge, "kept": _named([merge.kept], actor)[merge.kept_id]}
        return Panel(_("Merged"), "customers/view/merged.html", told, "merged")
    if len(files_of(customer)) == 1:
        return None
    rows = CustomerMerge.objects.filter(merged__merged_into=customer, undone_on=None)
    made = list(rows.select_related("merged", "merged_by").order_by("-pk"))
    named = _named([merge.merged for merge in made], actor)
    context = {"merges": [(merge, named[merge.merged_id]) for merge in made]}
    return Panel(_("Other files of this customer"), "customers/view/other_files.html", context, "files")


def _named(files: list[Customer], actor: Actor) -> dict[int, dict[str, str]]:
    """Name and address of each file; of one the reader does not see, the first character."""
    seen = set(visible(Customer, actor).filter(pk__in=[one.pk for one in files]).values_list("pk", flat=True))
    return {
        one.pk: {"name": one.name, "url": CUSTOMER_NOUN.url(one)}
        if one.pk in seen
        else {"name": f"{one.name[:1]}•••", "url": ""}
        for one in files
    }
