"""Every route of the URL configuration, however deep, in one notation: `leads/<pk>/` and the methods it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

#: A page takes what its view takes; only the API says which methods it has.
ANY = frozenset({"*"})


def views() -> dict[str, Any]:
    """Route → the view that answers there."""
    return {path: pattern.callback for path, pattern in _walk(get_resolver(), "")}


def all_routes() -> dict[str, frozenset[str]]:
    """Route → methods. Two patterns of one route join their methods."""
    found: dict[str, frozenset[str]] = {}
    for path, pattern in _walk(get_resolver(), ""):
        found[path] = found.get(path, frozenset()) | _methods(pattern.callback)
    return found


def _walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        path = prefix + plain(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, path)
        else:
            yield path, pattern


def plain(pattern: str) -> str:
    """A pattern without regular expressions or converters: `^leads/(?P<pk>\\d+)/$` is `leads/<pk>/`."""
    named = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern)
    return re.sub(r"<\w+:(\w+)>", r"<\1>", named).removeprefix("^").removesuffix("$")


def _methods(callback: Any) -> frozenset[str]:
    if actions := getattr(callback, "actions", None):
        return frozenset(name.upper() for name in actions) - {"HEAD"}
    if (view := getattr(callback, "cls", None)) is not None:
        return frozenset(name.upper() for name in view.http_method_names if hasattr(view, name)) - {"OPTIONS", "HEAD"}
    return ANY
