"""What holds for every operation of the API, said once: how a POST happens once, what an error looks like."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import CharField, Model
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "maxLength": 200},
    "description": "Sent again with the same body, the first answer comes back; with another body, 409.",
}
_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457). Further members name the facts the refusal rests on.",
    "properties": {
        "type": {"type": "string", "examples": ["/problems/wrong-state"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "By field, for type /problems/invalid-input.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["type", "title", "status", "detail"],
}
_ANSWER = {
    "description": "Refused, or failed.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class Schema(AutoSchema):
    """DRF forgets of a field that is only read that it may be empty; an answer does hold such values."""

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        found = super()._map_serializer_field(field, direction, bypass_extensions)
        if found and "enum" in found and _is_blank_at_times(field):
            return {**found, "enum": [*found["enum"], ""]}
        return found

    def _insert_field_validators(self, field: Any, schema: Any) -> None:
        super()._insert_field_validators(field, schema)
        if _is_blank_at_times(field):
            schema.pop("format", None)


def _is_blank_at_times(field: serializers.Field) -> bool:
    model: type[Model] | None = getattr(getattr(field.parent, "Meta", None), "model", None)
    try:
        column: Any = model._meta.get_field(str(field.source)) if model and field.read_only else None
    except FieldDoesNotExist:
        return False
    return isinstance(column, CharField) and (column.blank or column.default == "")


def describe_what_all_share(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    for operations in result["paths"].values():
        for method, operation in operations.items():
            operation["responses"]["default"] = _ANSWER
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            if method == "post" and _KEY["name"] not in names:
                operation.setdefault("parameters", []).append(_KEY)
    return result
