"""What a list needs to draw its filters, and a form its fields."""

from __future__ import annotations

from typing import Any

from django.forms import ModelChoiceField
from django.utils.formats import localize as localize_value
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst


def choice_fields(form: Any) -> list[Any]:
    """The fields of a filter that are a short list of words."""
    return [field for field in form if hasattr(field.field, "choices") and not _is_linked(field)]


def options(field: Any) -> list[tuple[Any, Any]]:
    """What can be chosen, without the empty choice."""
    return [(value, word) for value, word in list(field.field.choices) if value != ""]


def open_fields(form: Any) -> list[Any]:
    """The fields of a filter that are typed: dates, amounts, text."""
    return [field for field in form if not hasattr(field.field, "choices")]


def open_fields_set(form: Any) -> bool:
    """Whether one of them narrows the list, so that it must be seen."""
    return any(form.data.get(field.html_name) for field in open_fields(form))


def linked_fields(form: Any) -> list[Any]:
    """Other records the address narrows to; they are set by links and never listed, as lists of records have no end."""
    return [field for field in form if _is_linked(field) and form.data.get(field.html_name)]


def _is_linked(field: Any) -> bool:
    return isinstance(field.field, ModelChoiceField)


def chosen(field: Any) -> Any:
    """What a filter is set to, empty where it is not."""
    return field.form.data.get(field.html_name, "")


def as_control(field: Any) -> SafeString:
    """The input alone, in the look of the house."""
    return field.as_widget(attrs={"class": "form-control"})


def is_money(field: Any) -> bool:
    return "data-money" in field.field.widget.attrs


def searchable(noun: Any) -> bool:
    """Whether its list can be searched; a template would call the function instead of asking for it."""
    return noun.search is not None


def table_name(table: Any) -> str:
    """A name for what a person chose to see of a list; the list's own model."""
    model = getattr(table._meta, "model", None)
    return str(model._meta.model_name) if model else type(table).__name__.lower()


def body(table: Any) -> SafeString:
    """The rows of a list, each cell with its column's heading for narrow screens.

    In Python: a list is mostly cells, and a template would walk a dozen nodes for each.
    """
    heads = []
    for column in table.columns:
        td, label = column.attrs["td"].as_html(), capfirst(column.header)
        head = format_html('<td {} data-label="{}">', td, label)
        heads.append((column.localize, head, format_html('<td {} data-empty data-label="{}">', td, label)))
    parts = []
    for row in table.paginated_rows:
        parts.append(f"<tr {row.attrs.as_html()}>")
        for (_column, cell), (localize, head, empty) in zip(row.items(), heads, strict=True):
            parts += [empty if cell == "—" else head, conditional_escape(_shown(cell, localize)), "</td>"]
        parts.append("</tr>")
    return mark_safe("".join(parts))


def _shown(cell: Any, localize: bool | None) -> Any:
    """As a template would write it: numbers and dates by the reader's language, unless the column says otherwise."""
    return cell if isinstance(cell, str) else localize_value(cell, use_l10n=localize)


FILTERS = (
    body,
    choice_fields,
    options,
    open_fields,
    open_fields_set,
    linked_fields,
    chosen,
    as_control,
    is_money,
    searchable,
    table_name,
)
