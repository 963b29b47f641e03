"""Form fields of a product version: on a page as a manager types them, in the API as the version keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loans.queries.terms_words import as_percent

Choices = Iterable[tuple[str, Any]]
SPARE_FEES = 1


def as_fraction(percent: str) -> str:
    """3.95 as "0.0395"; what is no number as it is, to be refused with its field."""
    try:
        fraction = Decimal(percent.strip().removesuffix("%")) / 100
    except ArithmeticError:
        return percent
    return f"{fraction:f}" if fraction.is_finite() else percent


class PercentInput(forms.TextInput):
    """A fraction typed as percent, under `<name>__percent`."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        typed = "" if value in (None, "") else as_percent(value)
        box = super().render(f"{name}__percent", typed, attrs, renderer)
        return format_html('<div class="unit-field">{}<span class="unit" aria-hidden="true">%</span></div>', box)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        typed = data.get(f"{name}__percent")
        return data.get(name) if name in data or typed is None else as_fraction(typed)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}__percent" not in data


class PercentField(forms.DecimalField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=PercentInput(), **({"max_digits": 8, "decimal_places": 6, "min_value": 0} | kwargs))


class _JsonField(forms.JSONField):
    """A structure the API takes as JSON and the page in parts; what it may hold is the service's to say."""

    kinds: type | tuple[type, ...] = list
    refusal: Any = gettext_lazy("Enter a list.")

    def to_python(self, value: Any) -> Any:
        value = self.kinds() if value in (None, "") else value  # type: ignore[operator]
        if not isinstance(value, self.kinds):
            raise ValidationError(self.refusal)
        return value

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data

    def prepare_value(self, value: Any) -> Any:
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data != initial)


# --- guarantees and their caps ------------------------------------------------------------------------------------


class CapsInput(forms.Widget):
    """One line per guarantee: at most so many percent of the amount, at most so many yuan."""

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self.choices = list(choices)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        caps = value if isinstance(value, Mapping) else {}
        lines = format_html_join("", "{}", ((self._line(name, mode, word, caps),) for mode, word in self.choices))
        head = format_html(
            "<span></span><span>{}</span><span>{}</span>", _("share of the amount, %"), _("largest amount, yuan")
        )
        return format_html('<div class="caps" id="{}"><div class="caps-head">{}</div>{}</div>',
                           (attrs or {}).get("id", name), head, lines)  # fmt: skip

    def _line(self, name: str, mode: str, word: Any, caps: Mapping[str, Any]) -> SafeString:
        cap = caps.get(mode)
        cap = cap if isinstance(cap, Mapping) else {}
        share = as_percent(cap["share"]) if cap.get("share") else ""
        return format_html(
            '<div class="caps-line" data-mode="{mode}"><span>{word}</span>'
            '<input class="form-control num" inputmode="decimal" autocomplete="off" name="{name}__{mode}__share"'
            ' value="{share}" aria-label="{word}: {share_label}">'
            '<input class="form-control num" inputmode="decimal" autocomplete="off" data-money'
            ' name="{name}__{mode}__max_amount" value="{amount}" aria-label="{word}: {amount_label}"></div>',
            mode=mode, word=word, name=name, share=share, amount=cap.get("max_amount", ""),
            share_label=_("share of the amount, %"), amount_label=_("largest amount, yuan"),
        )  # fmt: skip

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        if name in data:
            return data[name]
        caps = {}
        for mode, _word in self.choices:
            share, amount = (str(data.get(f"{name}__{mode}__{part}") or "").strip() for part in ("share", "max_amount"))
            cap = ({"share": as_fraction(share)} if share else {}) | ({"max_amount": _plain(amount)} if amount else {})
            if cap:
                caps[mode] = cap
        return caps

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and not any(key.startswith(f"{name}__") for key in data)


def _plain(amount: str) -> str:
    """An amount without the separators people type."""
    return amount.replace(",", "").replace("，", "").strip()


class CapsField(_JsonField):
    """`{mode: {"share": "0.7", "max_amount": "500000.00"}}`, either of the two."""

    kinds = dict
    refusal = gettext_lazy("Enter caps by guarantee.")

    def __init__(self, *, choices: Choices, **kwargs: Any) -> None:
        super().__init__(widget=CapsInput(choices), required=False, **kwargs)


# --- fees -----------------------------------------------------------------------------------------------------------

_FEE_PARTS = ("name_zh", "name_en", "kind", "value", "on")


class FeesInput(forms.Widget):
    """One line per fee and one to spare, named `<name>__<line>__<part>`; a percentage is typed as such."""

    def __init__(self, kinds: Choices, moments: Choices) -> None:
        super().__init__()
        self.kinds, self.moments = list(kinds), list(moments)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        fees = [fee for fee in value if isinstance(fee, Mapping)] if isinstance(value, list) else []
        lines = [*fees, *([{}] * SPARE_FEES)]
        rows = format_html_join("", "{}", ((self._line(f"{name}__{number}", fee),) for number, fee in enumerate(lines)))
        identity = (attrs or {}).get("id", name)
        return format_html('<div class="fees" id="{}" data-lines="{}">{}</div>', identity, name, rows)

    def _line(self, name: str, fee: Mapping[str, Any]) -> SafeString:
        value = fee.get("value", "")
        value = as_percent(value) if fee.get("kind") == "percent" and value else value
        return format_html(
            '<div class="fee-line">'
            '<input class="form-control" name="{name}__name_zh" value="{zh}" maxlength="40" placeholder="{zh_label}"'
            ' aria-label="{zh_label}">'
            '<input class="form-control" name="{name}__name_en" value="{en}" maxlength="40" placeholder="{en_label}"'
            ' aria-label="{en_label}">'
            '<input class="form-control num" name="{name}__value" value="{value}" inputmode="decimal"'
            ' autocomplete="off" placeholder="0.00" aria-label="{value_label}">{kind}{on}</div>',
            name=name, zh=fee.get("name_zh", ""), en=fee.get("name_en", ""), value=value,
            zh_label=_("Name of the fee (Chinese)"), en_label=_("Name of the fee (English)"),
            value_label=_("Yuan or percent"),
            kind=_select(f"{name}__kind", self.kinds, fee.get("kind"), _("Fixed or percent")),
            on=_select(f"{name}__on", self.moments, fee.get("on"), _("When it is paid")),
        )  # fmt: skip

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        if name in data:
            return data[name]
        fees = []
        for number in sorted({int(n) for key in data if (n := _line_of(key, name)) is not None}):
            fee = {part: str(data.get(f"{name}__{number}__{part}") or "").strip() for part in _FEE_PARTS}
            if fee["name_zh"] or fee["name_en"] or fee["value"]:
                value = _plain(fee["value"])
                fees.append(fee | {"value": as_fraction(value) if fee["kind"] == "percent" else value})
        return fees

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and not any(key.startswith(f"{name}__") for key in data)


def _line_of(key: str, name: str) -> str | None:
    number = key.removeprefix(f"{name}__").partition("__")[0] if key.startswith(f"{name}__") else ""
    return number if number.isascii() and number.isdecimal() and len(number) < 4 else None


def _select(name: str, choices: list[tuple[str, Any]], chosen: Any, label: str) -> SafeString:
    options = format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((code, SafeString(" selected") if code == chosen else "", word) for code, word in choices),
    )
    return format_html('<select class="form-select" name="{}" aria-label="{}">{}</select>', name, label, options)


class FeesField(_JsonField):
    """`[{"name_zh", "name_en", "kind": fixed or percent, "value", "on": start or each}]`, a percentage as fraction."""

    def __init__(self, *, kinds: Choices, moments: Choices, **kwargs: Any) -> None:
        super().__init__(widget=FeesInput(kinds, moments), required=False, **kwargs)


# --- an order -----------------------------------------------------------------------------------------------------


class OrderInput(forms.Widget):
    """Each place in the order chosen from the same list, named `<name>__<place>`."""

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self.choices = list(choices)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        order = value if isinstance(value, list) else []
        order = [*order, *([None] * len(self.choices))][: len(self.choices)]
        boxes = format_html_join(
            "",
            '<label><span class="quiet small">{}</span>{}</label>',
            (
                (f"{place + 1}.", _select(f"{name}__{place}", self.choices, chosen, str(place + 1)))
                for place, chosen in enumerate(order)
            ),
        )
        return format_html('<div class="order" id="{}">{}</div>', (attrs or {}).get("id", name), boxes)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        if name in data:
            return data.getlist(name) if hasattr(data, "getlist") else data[name]
        typed = [data.get(f"{name}__{place}") for place in range(len(self.choices))]
        return [value for value in typed if value]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}__0" not in data


class OrderField(_JsonField):
    """Every one of the choices once, in the order wanted."""

    def __init__(self, *, choices: Choices, **kwargs: Any) -> None:
        super().__init__(widget=OrderInput(choices), required=False, **kwargs)
