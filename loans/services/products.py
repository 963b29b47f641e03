"""Products: drafted by one person at head office, activated by another; and the table of prime rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import DutiesConflict, InvalidInput, NotFound, PermissionRefused
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.services.events import record
from branch.services.outbox import publish
from branch.services.transition import change, create, transition
from branch.services.use_case import use_case
from branch.words import listed
from customers.queries.offices import person_id, topmost_office
from customers.services.profile import Checker
from loans.domain.grades import DEFAULT_LETTERS
from loans.models import LprRate, Product, ProductVersion
from loans.models.product import DayCount, GuaranteeMode, RepaymentMethod

MANAGERS = frozenset({Role.PRODUCT_MANAGER})
GRADES = tuple(letter.letter for letter in DEFAULT_LETTERS)


class Offer(TypedDict, total=False):
    """What a version offers. Amounts in yuan, rates as fractions a year, margins and discounts in basis points."""

    min_amount: Decimal
    max_amount: Decimal
    max_term_days: int
    repayment_methods: list[str]
    guarantee_modes: list[str]
    day_count: str
    margin_bp: int
    grade_margins_bp: dict[str, int]
    guarantee_discounts_bp: dict[str, int]
    repeat_discount_bp: int
    rate_floor: Decimal
    rate_cap: Decimal
    required_documents: list[str]
    prepayment_allowed: bool


@use_case("create_product")
def create_product(*, actor: Actor, code: str, name_zh: str, name_en: str, family: str) -> Product:
    """A new product line, with nothing on offer yet. Raises InvalidInput by field."""
    _require(actor, MANAGERS)
    checker = Checker()
    product = Product(code=code.strip().upper(), name_zh=name_zh.strip(), name_en=name_en.strip(), family=family)
    for field, longest in (("code", 20), ("name_zh", 80), ("name_en", 80)):
        if not 0 < len(getattr(product, field)) <= longest:
            checker.refuse(field, _("1 to %(count)d characters.") % {"count": longest})
    if family not in Product.Family.values:
        checker.refuse("family", _("Choose one of the families."))
    if Product.objects.filter(code=product.code).exists():
        checker.refuse("code", _("There is a product with this code already."))
    checker.done()
    product.save(force_insert=True)
    record("product.create", product, actor=actor, before={})
    return product


@use_case("draft_product_version")
def draft_product_version(*, actor: Actor, product_id: int, **offer: Unpack[Offer]) -> ProductVersion:
    """The next version of a product, as a draft; what `offer` is silent on comes from the latest version."""
    _require(actor, MANAGERS)
    product = Product.objects.select_for_update().filter(pk=product_id).first()
    if product is None:
        raise InvalidInput(fields={"product_id": [_("Choose a product.")]})
    latest = product.versions.order_by("-number").first()
    version = ProductVersion(
        product=product,
        number=(latest.number if latest else 0) + 1,
        drafted_by_id=person_id(actor),
        office=topmost_office(actor, MANAGERS),
    )
    inherited = {field: getattr(latest, field) for field in Offer.__annotations__} if latest else {}
    _set_offer(version, {**inherited, **offer})
    return create(version, actor=actor, roles=MANAGERS, event="draft")


@use_case("revise_product_version")
def revise_product_version(*, actor: Actor, product_version_id: int, **offer: Unpack[Offer]) -> ProductVersion:
    """The next version of the product `product_version_id` belongs to, as a draft."""
    version = ProductVersion.objects.filter(pk=product_version_id).first()
    if version is None:
        raise NotFound(_("There is no such record."))
    return draft_product_version(actor=actor, product_id=version.product_id, **offer)


@use_case("update_product_version")
def update_product_version(
    *, actor: Actor, product_version_id: int, expected_version: int | None = None, **offer: Unpack[Offer]
) -> ProductVersion:
    """Change a draft. Only who drafted it may: so whoever activates it has not written a line of it."""
    with change(
        ProductVersion,
        product_version_id,
        "update",
        actor=actor,
        roles=MANAGERS,
        states=("draft",),
        expected_version=expected_version,
    ) as version:
        if version.drafted_by_id != actor.user_id:
            raise PermissionRefused(_("Only the person who drafted it may change it."))
        _set_offer(version, dict(offer))
    return version


@use_case("submit_product_version")
def submit_product_version(
    *, actor: Actor, product_version_id: int, expected_version: int | None = None
) -> ProductVersion:
    """Hand a draft to a second person."""
    with transition(
        ProductVersion, product_version_id, "submit", actor=actor, expected_version=expected_version
    ) as version:
        _require_complete(version)
    publish("product_version.submitted", product_version_id=version.pk)
    return version


@use_case("reject_product_version")
def reject_product_version(
    *, actor: Actor, product_version_id: int, reason: str, expected_version: int | None = None
) -> ProductVersion:
    """Send a version back to its drafter with the reason."""
    if not reason.strip():
        raise InvalidInput(fields={"reason": [_("Say why.")]})
    with transition(
        ProductVersion,
        product_version_id,
        "reject",
        actor=actor,
        reason=reason.strip(),
        expected_version=expected_version,
    ) as version:
        pass
    publish("product_version.rejected", product_version_id=version.pk)
    return version


@use_case("activate_product_version")
def activate_product_version(
    *, actor: Actor, product_version_id: int, expected_version: int | None = None
) -> ProductVersion:
    """Put a version on sale from today and take the former one off it. Raises DutiesConflict for its drafter."""
    # Two activations of one product wait for each other here, before either looks for the former version.
    Product.objects.select_for_update().filter(versions=product_version_id).first()
    with transition(
        ProductVersion, product_version_id, "activate", actor=actor, expected_version=expected_version
    ) as version:
        if version.drafted_by_id == actor.user_id:
            raise DutiesConflict(_("You drafted this version, so somebody else must activate it."))
        former = ProductVersion.objects.filter(product=version.product_id, state="active").first()
        if former is not None:
            with transition(ProductVersion, former.pk, "retire", actor=actor):
                pass
        version.activated_by_id = actor.user_id
        version.active_from_date = business_date()
    publish("product_version.activated", product_version_id=version.pk)
    return version


@use_case("import_lpr")
def import_lpr(*, actor: Actor, rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Add announcements `{"published_date", "one_year", "five_year", "source"}`, rates in percent as published.

    Sending one again changes nothing. Answers how many were added and how many stood already.
    Raises InvalidInput for a bad row, or one that contradicts the announcement on file; then nothing is added.
    """
    _require(actor, MANAGERS | {Role.POLICY_MANAGER, Role.SYSTEM})
    counts = {"added": 0, "unchanged": 0}
    for number, row in enumerate(rows, start=1):
        rate = _announcement(row, number)
        present = LprRate.objects.filter(pk=rate.published_date).first()
        if present is None:
            rate.save(force_insert=True)
            record("lpr_rate.import", rate, actor=actor, before={})
            counts["added"] += 1
        elif (present.one_year, present.five_year) == (rate.one_year, rate.five_year):
            counts["unchanged"] += 1
        else:
            raise _bad_row(number, _("Another announcement is on file for this day."))
    return counts


def _announcement(row: Mapping[str, Any], number: int) -> LprRate:
    try:
        day = row["published_date"]
        day = day if isinstance(day, date) else date.fromisoformat(day)
        one_year, five_year = (
            None if value in (None, "") else Decimal(str(value)) for value in (row["one_year"], row.get("five_year"))
        )
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise _bad_row(number, _("A date and percentages are needed.")) from error
    source = str(row.get("source") or "").strip()
    if one_year is None or not source or len(source) > 120:
        raise _bad_row(number, _("A one-year rate and a source are needed."))
    if not all(rate is None or _is_percentage(rate) for rate in (one_year, five_year)):
        raise _bad_row(number, _("Rates are percentages with at most two decimal places."))
    return LprRate(published_date=day, one_year=one_year, five_year=five_year, source=source)


def _is_percentage(rate: Decimal) -> bool:
    # Anything below a tenth of a percent is a fraction sent where a percentage belongs.
    return rate.is_finite() and Decimal("0.1") <= rate < 100 and rate == round(rate, 2)


def _bad_row(number: int, message: str) -> InvalidInput:
    return InvalidInput(fields={"rows": [_("Row %(number)d: %(message)s") % {"number": number, "message": message}]})


def _require(actor: Actor, roles: frozenset[Role]) -> None:
    """Products are the whole bank's: a role held at a branch does not reach them."""
    if not actor.holds_bank_wide(roles):
        raise PermissionRefused(_("Your role does not allow this here."))


# --- what a version may say ----------------------------------------------------------------------------------


def _set_offer(version: ProductVersion, offer: Mapping[str, Any]) -> None:
    for field, value in offer.items():
        if field not in Offer.__annotations__:
            raise TypeError(f"a product version has no {field}")
        setattr(version, field, value)
    _require_complete(version)


def _require_complete(version: ProductVersion) -> None:
    """Raises InvalidInput naming every field that is missing or out of bounds."""
    checker = Checker()
    _check_bounds(checker, version)
    for field, choices in (("repayment_methods", RepaymentMethod), ("guarantee_modes", GuaranteeMode)):
        chosen = getattr(version, field)
        if not isinstance(chosen, list) or not chosen or not set(chosen) <= set(choices.values):
            checker.refuse(field, _("Choose one or more from the list."))
    if version.day_count not in DayCount.values:
        checker.refuse("day_count", _("Choose one from the list."))
    _check_margins(checker, version)
    documents = version.required_documents
    if not isinstance(documents, list) or not all(isinstance(t, str) and 0 < len(t) <= 200 for t in documents):
        checker.refuse("required_documents", _("One title of at most 200 characters per document."))
    checker.done()


def _check_bounds(checker: Checker, version: ProductVersion) -> None:
    for field in ("min_amount", "max_amount"):
        value = getattr(version, field)
        if not isinstance(value, Decimal) or not 0 < value < Decimal(10) ** 14 or value != round(value, 2):
            checker.refuse(field, _("Enter an amount above zero."))
    for field in ("rate_floor", "rate_cap"):
        value = getattr(version, field)
        if not isinstance(value, Decimal) or not 0 <= value < 1 or value != round(value, 6):
            checker.refuse(field, _("Enter a yearly rate as a fraction, such as 0.0395."))
    if not isinstance(version.max_term_days, int) or not 1 <= version.max_term_days <= 36_600:
        checker.refuse("max_term_days", _("Enter a number of days from 1 on."))
    if not checker.errors and version.min_amount > version.max_amount:
        checker.refuse("max_amount", _("This is below the smallest amount."))
    if not checker.errors and version.rate_floor > version.rate_cap:
        checker.refuse("rate_cap", _("This is below the lowest rate."))


def _check_margins(checker: Checker, version: ProductVersion) -> None:
    if not _is_bp(version.margin_bp):
        checker.refuse("margin_bp", _("Enter whole basis points."))
    if not _is_bp(version.repeat_discount_bp) or version.repeat_discount_bp < 0:
        checker.refuse("repeat_discount_bp", _("Enter whole basis points from 0 on."))
    for field, keys in (("grade_margins_bp", GRADES), ("guarantee_discounts_bp", GuaranteeMode.values)):
        value = getattr(version, field)
        if not isinstance(value, dict) or not set(value) <= set(keys) or not all(map(_is_bp, value.values())):
            checker.refuse(field, _("Whole basis points for each of: %(keys)s.") % {"keys": listed(keys)})


def _is_bp(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -10_000 <= value <= 10_000
