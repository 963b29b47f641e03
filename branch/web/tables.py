"""Columns with one look everywhere: money right and grouped, dates ISO, states as chips, the first column the link."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django_tables2 import RequestConfig
from django_tables2.columns import library

from branch.domain.money import format_money
from branch.web.noun import url_of

PAGE_SIZE = 25
_NUMBER = {"td": {"class": "text-end num"}, "th": {"class": "text-end"}}


class LinkColumn(tables.Column):
    """The thing's name, leading to its page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("linkify", lambda record: url_of(record))
        super().__init__(*args, **kwargs)


class MoneyColumn(tables.Column):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, attrs=_NUMBER, **kwargs)

    def render(self, value: Any) -> str:
        return format_money(value)

    def value(self, value: Any) -> Any:
        return value


class NumberColumn(tables.Column):
    """A number with its thousands apart, and no more places than it has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, attrs=_NUMBER, **kwargs)

    def render(self, value: Any) -> Any:
        if not isinstance(value, Decimal):
            return value
        text = f"{value:,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def value(self, value: Any) -> Any:
        return value


class RateColumn(NumberColumn):
    """A yearly rate kept as a fraction, shown in percent."""

    def render(self, value: Any) -> str:
        return f"{value * 100:.2f}%"

    def value(self, value: Any) -> Any:
        return value


class DateColumn(tables.Column):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, attrs={"td": {"class": "num text-nowrap"}}, **kwargs)

    def render(self, value: Any) -> str:
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M") if hasattr(value, "hour") else value.isoformat()

    def value(self, value: Any) -> Any:
        return self.render(value)


@library.register
class YesNoColumn(tables.BooleanColumn):
    """True or false in words; what a list takes for a boolean field by itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, yesno=(_("Yes"), _("No")), **kwargs)


class ComponentColumn(tables.Column):
    """A value drawn by a template; the export keeps the bare value."""

    def __init__(self, template: str, *args: Any, **kwargs: Any) -> None:
        self.template = template
        super().__init__(*args, **kwargs)

    def render(self, value: Any, record: Any) -> str:
        return render_to_string(self.template, {"value": value, "record": record})

    def value(self, value: Any) -> Any:
        return value


class StateColumn(ComponentColumn):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("components/cells/state.html", *args, **kwargs)


class LevelColumn(ComponentColumn):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("components/cells/level.html", *args, **kwargs)


class CappedPaginator(Paginator):
    """Counts no further than anybody pages: beyond, counting a million rows would take longer than the page itself."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        # The rows of a table, of its data, of a query.
        rows = getattr(getattr(self.object_list, "data", None), "data", None)
        if not isinstance(rows, QuerySet):
            return super().count
        return rows.order_by()[: self.MOST].count()

    @property
    def is_capped(self) -> bool:
        """Whether there may be more rows than were counted."""
        return self.count == self.MOST


def paged(request: HttpRequest, table: tables.Table) -> tables.Table:
    """The table, sorted and cut to the page that the address asks for."""
    paging = {"per_page": PAGE_SIZE, "silent": True, "paginator_class": CappedPaginator}
    RequestConfig(request, paginate=paging).configure(table)
    return table


class NounTable(tables.Table):
    """The base of every list. Subclasses name columns and, in Meta, the model and their order."""

    class Meta:
        attrs = {"class": "table table-vcenter card-table xw-table"}
        empty_text = ""

    def paginate(self, *args: Any, per_page: int | None = None, **kwargs: Any) -> None:
        """The page's length may be asked for in the address, within reason."""
        super().paginate(*args, per_page=min(max(per_page or 25, 1), 200), **kwargs)
