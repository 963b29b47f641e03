"""The API's own description: valid, and saying of every operation what all have in common."""

from __future__ import annotations

import re

import pytest
from django.urls import Resolver404, resolve
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from tests.api.described import operations, schema


def test_valid_and_without_warnings() -> None:
    described = schema()
    assert described["openapi"] == "3.1.0"
    validate_schema(described)
    assert not GENERATOR_STATS, "\n".join(GENERATOR_STATS._warn_cache) + "\n".join(GENERATOR_STATS._error_cache)


def test_every_path_resolves() -> None:
    for path, _method, _operation in operations():
        try:
            resolve(re.sub(r"\{day\}", "2026-03-02", re.sub(r"\{(id|pk)\}", "1", path)))
        except Resolver404:
            pytest.fail(f"{path} leads nowhere")


def test_every_post_happens_once() -> None:
    for path, method, operation in operations():
        named = [p["name"] for p in operation.get("parameters", []) if p["in"] == "header"]
        assert ("Idempotency-Key" in named) == (method == "post"), path
        assert named == sorted(set(named), key=named.index), path


def test_every_operation_says_what_an_error_looks_like() -> None:
    for path, _method, operation in operations():
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"], path


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _path, _method, operation in operations()]
    assert len(names) == len(set(names))


def test_it_is_served_to_who_signed_in(lin: APIClient) -> None:
    response = lin.get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    assert APIClient().get("/api/v1/schema/").status_code == 401
