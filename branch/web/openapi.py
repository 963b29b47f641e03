"""What holds for every operation of the API, said once: how a POST happens once, what an error looks like."""

from __future__ import annotations

from typing import Any

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
