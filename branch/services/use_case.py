"""The frame of every service that writes: one transaction, named, with a kill point on each side of its commit."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog
from django.db import transaction

from branch import failpoints
from branch.domain.refusals import Refusal

P = ParamSpec("P")
R = TypeVar("R")

logger = structlog.get_logger(__name__)

#: Every writing service by name, for the tests that go through all of them.
USE_CASES: dict[str, Callable] = {}


def use_case(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Run the service in a transaction (its own, or the caller's: then both commit together or not at all)."""
    failpoints.declare(f"{name}.before_commit", f"{name}.after_commit")

    def decorate(service: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(service)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                with transaction.atomic():
                    result = service(*args, **kwargs)
                    failpoints.failpoint(f"{name}.before_commit")
                    transaction.on_commit(lambda: failpoints.failpoint(f"{name}.after_commit"))
            except Refusal as refusal:
                logger.info("refused", use_case=name, type=refusal.type)
                raise
            return result

        if name in USE_CASES:
            raise ValueError(f"two use cases are called {name}")
        USE_CASES[name] = run
        return run

    return decorate
