"""Who may have a product: each criterion of an offer against what is known of the applicant, named one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class CriterionCode(StrEnum):
    CUSTOMER_KIND = "customer_kind"
    SIZE_CLASS = "size_class"
    INDUSTRY = "industry"
    CLUSTER = "cluster"
    RISK_GRADE = "risk_grade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom an offer is for; an empty set leaves a criterion open. Industries are parts of an industry's name."""

    customer_kinds: frozenset[str] = frozenset()
    size_classes: frozenset[str] = frozenset()
    industries: frozenset[str] = frozenset()
    clusters: frozenset[str] = frozenset()
    risk_grades: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """What is known of who applies; empty where it is not known."""

    customer_kind: str
    size_class: str = ""
    industry: str = ""
    clusters: frozenset[str] = frozenset()
    risk_grade: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: what is asked for, what was found, and whether it holds; None while it is not known yet."""

    code: CriterionCode
    wanted: tuple[str, ...]
    found: tuple[str, ...]
    holds: bool | None


def check_eligibility(audience: Audience, applicant: Applicant) -> tuple[Criterion, ...]:
    """Every criterion the offer sets, in one order. A grade comes with the investigation: until then it is open.

    What is to be known beforehand (size class, industry) and is not fails: an offer for micro firms is not made to a
    firm nobody has measured.
    """
    checks = (
        _one_of(CriterionCode.CUSTOMER_KIND, audience.customer_kinds, [applicant.customer_kind]),
        _one_of(CriterionCode.SIZE_CLASS, audience.size_classes, [applicant.size_class]),
        _named_in(CriterionCode.INDUSTRY, audience.industries, applicant.industry),
        _one_of(CriterionCode.CLUSTER, audience.clusters, applicant.clusters),
        _one_of(CriterionCode.RISK_GRADE, audience.risk_grades, [applicant.risk_grade], open_until_known=True),
    )
    return tuple(check for check in checks if check is not None)


def _one_of(
    code: CriterionCode, wanted: frozenset[str], found: Iterable[str], *, open_until_known: bool = False
) -> Criterion | None:
    if not wanted:
        return None
    known = tuple(sorted(value for value in found if value))
    holds = None if open_until_known and not known else bool(wanted & set(known))
    return Criterion(code, tuple(sorted(wanted)), known, holds)


def _named_in(code: CriterionCode, wanted: frozenset[str], industry: str) -> Criterion | None:
    if not wanted:
        return None
    name = industry.casefold()
    holds = any(part.casefold() in name for part in wanted)
    return Criterion(code, tuple(sorted(wanted)), (industry,) if industry else (), holds)


class CapKind(StrEnum):
    SHARE = "share"
    MAX_AMOUNT = "max_amount"


@dataclass(frozen=True, slots=True)
class GuaranteeCap:
    """How much of a loan may rest on one kind of guarantee: a part of the amount (1 is all of it), and yuan."""

    share: Decimal | None = None
    max_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CapBreach:
    """A guarantee asked to carry more than it may: `limit` and `carried` are in yuan."""

    mode: str
    kind: CapKind
    limit: Decimal
    carried: Decimal


def check_guarantee_caps(
    amount: Decimal, shares: Mapping[str, Decimal], caps: Mapping[str, GuaranteeCap]
) -> tuple[CapBreach, ...]:
    """What of `amount` yuan each guarantee carries by its share, against its caps; empty when all are kept."""
    breaches = []
    for mode, share in shares.items():
        cap, carried = caps.get(mode, GuaranteeCap()), amount * share
        if cap.share is not None and share > cap.share:
            breaches.append(CapBreach(mode, CapKind.SHARE, amount * cap.share, carried))
        if cap.max_amount is not None and carried > cap.max_amount:
            breaches.append(CapBreach(mode, CapKind.MAX_AMOUNT, cap.max_amount, carried))
    return tuple(breaches)
