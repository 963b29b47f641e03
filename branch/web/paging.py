"""Pages of a list that hold still: each begins where the last one ended, however the data grows meanwhile."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import parse_qs, urlencode

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from branch.domain.refusals import NotFound


class Pages(CursorPagination):
    """By one column and the id, so that equal and empty values have one order too; `page_size` up to 200.

    A cursor names the row beside it: its value in the column, its id, and whether to read backwards from there.
    """

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-id"
    base_url: str

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Raises NotFound for a cursor that this program never gave out."""
        self.base_url = request.build_absolute_uri()
        self.column = self.get_ordering(request, queryset, view)[0]
        size = self.get_page_size(request) or self.page_size
        given = request.query_params.get(self.cursor_query_param, "")
        try:
            backwards, rows = self._from(queryset, given) if given else (False, self._ordered(queryset, False))
            found = list(rows[: size + 1])
        except (ValueError, ValidationError):  # what stands in it is no value of the column
            raise NotFound(_("This cursor leads nowhere. Start again without one.")) from None
        more, self.page = len(found) > size, found[:size]
        if backwards:
            self.page.reverse()
        self.has_next, self.has_previous = (True, more) if backwards else (more, bool(given))
        return self.page

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """As OpenAPI 3.1 says that there may be no further page."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_next_link(self) -> str | None:
        return self._link(self.page[-1], backwards=False) if self.has_next and self.page else None

    def get_previous_link(self) -> str | None:
        return self._link(self.page[0], backwards=True) if self.has_previous and self.page else None

    def _from(self, queryset: QuerySet, token: str) -> tuple[bool, QuerySet]:
        """Whether the cursor reads backwards, and the rows beyond the one it names."""
        cursor = {name: values[0] for name, values in parse_qs(b64decode(token, validate=True).decode()).items()}
        if not cursor.get("i", "").isdecimal():
            raise ValueError("no row is named")
        backwards = "r" in cursor
        return backwards, self._ordered(queryset, backwards).filter(
            self._beyond(cursor.get("p"), cursor["i"], upwards=self._is_upwards(backwards))
        )

    def _beyond(self, position: str | None, row_id: str, *, upwards: bool) -> Q:
        """Rows after the named one. Postgres puts rows without a value after all others, read upwards."""
        name = self.column.lstrip("-")
        side = "gt" if upwards else "lt"
        if name in ("id", "pk"):
            return Q(**{f"pk__{side}": row_id})
        tie = Q(**{f"pk__{side}": row_id})
        if position is None:
            return Q(**{f"{name}__isnull": True}) & tie | (Q() if upwards else Q(**{f"{name}__isnull": False}))
        beyond = Q(**{f"{name}__{side}": position}) | Q(**{name: position}) & tie
        return beyond | Q(**{f"{name}__isnull": True}) if upwards else beyond

    def _ordered(self, queryset: QuerySet, backwards: bool) -> QuerySet:
        sign = "" if self._is_upwards(backwards) else "-"
        return queryset.order_by(f"{sign}{self.column.lstrip('-')}", f"{sign}pk")

    def _is_upwards(self, backwards: bool) -> bool:
        return self.column.startswith("-") == backwards

    def _link(self, row: Model, *, backwards: bool) -> str:
        value = getattr(row, self.column.lstrip("-"))
        parts = {"i": str(row.pk)} | ({} if value is None else {"p": str(value)}) | ({"r": "1"} if backwards else {})
        token = b64encode(urlencode(parts).encode()).decode()
        return replace_query_param(self.base_url, self.cursor_query_param, token)
