"""The shape of what a use case takes: one form class serves the page, the API and its description."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from django import forms
from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.text import can_be_kept


def is_of_shape(field: forms.Field, value: Any) -> bool:
    """Whether a JSON value is of a kind the field reads: a list is no name, a number no day, true no customer."""
    if isinstance(field, forms.JSONField | forms.MultipleChoiceField | forms.ModelMultipleChoiceField):
        return True
    if "to_python" in type(field).__dict__ and not type(field).__module__.startswith("django."):
        return True  # a field with a reading of its own decides for itself
    if isinstance(field, forms.DateField | forms.DateTimeField | forms.TimeField):
        return value is None or isinstance(value, str)
    if isinstance(field, forms.ModelChoiceField):
        return not isinstance(value, bool | float | list | dict)
    return not isinstance(value, list | dict) and not (isinstance(value, bool) and isinstance(field, forms.CharField))


class ActionForm(forms.Form):
    """A form that knows who fills it in and for what; subclasses cut their choices down to what that person sees.

    A ModelChoiceField is named like the service's argument (`customer_id`) and hands over the key.
    """

    def __init__(self, *args: Any, actor: Actor, instance: Model | None = None, **kwargs: Any) -> None:
        self.actor = actor
        self.instance = instance
        super().__init__(*args, **kwargs)

    def full_clean(self) -> None:
        super().full_clean()
        for name, value in list(getattr(self, "cleaned_data", {}).items()):
            if not can_be_kept(value):
                self.add_error(name, _("This text holds characters that can't be kept."))

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        """Cleaned values as the service takes them; `only` keeps the fields that were sent."""
        cleaned = {name: self.cleaned_data.get(name) for name in self.fields if only is None or name in only}
        return {name: value.pk if isinstance(value, Model) else value for name, value in cleaned.items()}


class MoneyField(forms.DecimalField):
    """Yuan with two places; thousands separators may be typed."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {"max_digits": 16, "decimal_places": 2, "min_value": Decimal("0.01")}
        super().__init__(**(defaults | kwargs))
        self.widget = forms.TextInput(attrs={"inputmode": "decimal", "data-money": "", "autocomplete": "off"})

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace(",", "").replace("，", "") if isinstance(value, str) else value)


class DateField(forms.DateField):
    """An ISO date."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)


class ReasonForm(ActionForm):
    """Why: for every step that needs a reason and nothing else."""

    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


_SERIALIZER_FIELDS: list[tuple[type[forms.Field], type[serializers.Field], dict[str, Any]]] = [
    (forms.FileField, serializers.FileField, {}),
    (forms.ModelChoiceField, serializers.IntegerField, {}),
    (forms.NullBooleanField, serializers.BooleanField, {"allow_null": True}),
    (forms.BooleanField, serializers.BooleanField, {}),
    (forms.DecimalField, serializers.DecimalField, {}),
    (forms.IntegerField, serializers.IntegerField, {}),
    (forms.DateTimeField, serializers.DateTimeField, {}),
    (forms.DateField, serializers.DateField, {}),
    (forms.JSONField, serializers.JSONField, {}),
    (forms.MultipleChoiceField, serializers.MultipleChoiceField, {}),
    (forms.ChoiceField, serializers.ChoiceField, {}),
]


_NAMED: dict[str, type[forms.Form]] = {}


@cache
def serializer_for(
    form: type[forms.Form] | None, *, optional: frozenset[str] = frozenset()
) -> type[serializers.Serializer] | None:
    """The form as a serializer class, for the API's description. Fields keep names, help and choices."""
    if form is None:
        return None
    fields = {name: _serializer_field(field, name in optional) for name, field in form.base_fields.items()}
    return type(_name_of(form), (serializers.Serializer,), fields)


def _name_of(form: type[forms.Form]) -> str:
    """The form's own name in the description; where another form has that name already, with its module's."""
    name = form.__name__.removesuffix("Form")
    if _NAMED.setdefault(name, form) is not form:
        name = form.__module__.rpartition(".")[2].title().replace("_", "") + name
    return name


def _serializer_field(field: forms.Field, optional: bool) -> serializers.Field:
    options: dict[str, Any] = {"required": field.required and not optional, "help_text": field.help_text or field.label}
    for form_class, serializer_class, extra in _SERIALIZER_FIELDS:
        if isinstance(field, form_class):
            options |= extra
            if isinstance(field, forms.DecimalField):
                options |= {"max_digits": field.max_digits, "decimal_places": field.decimal_places}
            if serializer_class in (serializers.ChoiceField, serializers.MultipleChoiceField):
                options["choices"] = [choice for choice in field.choices if choice[0] != ""]  # type: ignore[attr-defined]
            return serializer_class(**options)
    return serializers.CharField(
        max_length=getattr(field, "max_length", None), allow_blank=not field.required, **options
    )
