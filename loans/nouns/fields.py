"""Form fields for small structures, which the API takes as lists and objects: lines of text, whole numbers by key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _


class LinesField(forms.JSONField):
    """A list of texts; on a page one per line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def to_python(self, value: Any) -> Any:
        lines = value.splitlines() if isinstance(value, str) else value or []
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise ValidationError(_("Enter one text per line."))
        return [line.strip() for line in lines if line.strip()]

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data

    def prepare_value(self, value: Any) -> str:
        return "\n".join(value) if isinstance(value, list) else value or ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class KeyedNumbersInput(forms.Widget):
    """One small number input per key, named `<name>__<key>`."""

    def __init__(self, choices: Iterable[tuple[str, Any]]) -> None:
        super().__init__()
        self.choices = list(choices)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        given = value if isinstance(value, dict) else {}
        inputs = format_html_join(
            "",
            '<label><span class="quiet small">{}</span><input class="form-control num" type="number" step="1" '
            'inputmode="numeric" name="{}" value="{}"></label>',
            ((label, f"{name}__{key}", given.get(key, "")) for key, label in self.choices),
        )
        return format_html('<div class="choices" id="{}">{}</div>', (attrs or {}).get("id", name), inputs)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        if name in data:
            return data[name]
        typed = {key: data.get(f"{name}__{key}") for key, _label in self.choices}
        return {key: value for key, value in typed.items() if value not in (None, "")}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and not any(f"{name}__{key}" in data for key, _label in self.choices)


class KeyedNumbersField(forms.JSONField):
    """Whole numbers by key, such as `{"A": 0, "B": 40}`."""

    def __init__(self, *, choices: Iterable[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(widget=KeyedNumbersInput(choices), required=False, **kwargs)

    def to_python(self, value: Any) -> Any:
        value = value or {}
        try:
            if not isinstance(value, dict) or any(isinstance(number, float | bool) for number in value.values()):
                raise ValueError
            return {str(key): int(number) for key, number in value.items()}
        except (TypeError, ValueError) as error:
            raise ValidationError(_("Enter whole numbers.")) from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data

    def prepare_value(self, value: Any) -> Any:
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data != initial)
