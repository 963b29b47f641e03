"""The API's own description, and whether an answer is as it says."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

PROBLEM = "application/problem+json"


@cache
def schema() -> dict[str, Any]:
    GENERATOR_STATS.reset()
    return SchemaGenerator().get_schema(request=None, public=True)


@cache
def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method in small letters, and the operation."""
    return [(path, m, operation) for path, here in schema()["paths"].items() for m, operation in here.items()]


def operation_at(path: str, method: str) -> dict[str, Any] | None:
    """The operation a request reaches; None where nothing is described."""
    for pattern, _path in sorted(_patterns(), key=lambda found: "{" in found[1]):
        if pattern.fullmatch(path):
            return schema()["paths"][_path].get(method.lower())
    return None


def undescribed(operation: dict[str, Any], response: Any) -> str:
    """What of an answer is not as described: status, media type or body; empty where all is."""
    answers = operation["responses"]
    status = str(response.status_code)
    if status not in answers and response.status_code < 400:
        return f"status {status} is none of {sorted(answers)}"
    contents = answers.get(status, answers["default"]).get("content", {})
    if not contents:
        return "a body where none is described" if response.content else ""
    if getattr(response, "streaming", False):
        return ""  # a file
    media_type = response["Content-Type"].partition(";")[0]
    if media_type not in contents:
        return f"{media_type!r} is none of {sorted(contents)}"
    if not media_type.endswith("json"):
        return ""
    found = sorted(_validator(contents[media_type]["schema"]).iter_errors(response.json()), key=str)
    return "; ".join(f"{error.json_path}: {error.message[:200]}" for error in found[:5])


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in schema()["paths"]]


@cache
def _registry() -> Registry:
    return Registry().with_resource("urn:api", DRAFT202012.create_resource(schema()))


def _validator(part: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(
        _absolute(part), registry=_registry(), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def _absolute(part: Any) -> Any:
    """A schema whose references, however deep, lead into the whole description."""
    if isinstance(part, dict):
        return {key: f"urn:api{value}" if key == "$ref" else _absolute(value) for key, value in part.items()}
    return [_absolute(one) for one in part] if isinstance(part, list) else part


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """A schema that is not a mere reference to another one."""
    while "$ref" in part:
        part = schema()["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    return part
