"""Products: drafted by one person at head office, activated by another, taken off sale by either."""

from __future__ import annotations

from typing import Unpack

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import DutiesConflict, InvalidInput, NotFound, PermissionRefused
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.services.events import record
from branch.services.outbox import publish
from branch.services.transition import change, create, transition
from branch.services.use_case import use_case
from customers.queries.offices import person_id, topmost_office
from customers.services.profile import Checker
from loans.models import Product, ProductVersion
from loans.services.version_offer import Offer, require_complete, set_offer, usual_offer

MANAGERS = frozenset({Role.PRODUCT_MANAGER})


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
    set_offer(version, {**usual_offer(), **inherited, **offer})
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
        set_offer(version, dict(offer))
    return version


@use_case("submit_product_version")
def submit_product_version(
    *, actor: Actor, product_version_id: int, expected_version: int | None = None
) -> ProductVersion:
    """Hand a draft to a second person."""
    with transition(
        ProductVersion, product_version_id, "submit", actor=actor, expected_version=expected_version
    ) as version:
        require_complete(version)
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


@use_case("retire_product_version")
def retire_product_version(
    *, actor: Actor, product_version_id: int, reason: str, expected_version: int | None = None
) -> ProductVersion:
    """Take a version off sale with nothing in its place. Running files keep it."""
    if not reason.strip():
        raise InvalidInput(fields={"reason": [_("Say why.")]})
    with transition(
        ProductVersion,
        product_version_id,
        "retire",
        actor=actor,
        reason=reason.strip(),
        expected_version=expected_version,
    ) as version:
        pass
    publish("product_version.retired", product_version_id=version.pk)
    return version


def _require(actor: Actor, roles: frozenset[Role]) -> None:
    """Products are the whole bank's: a role held at a branch does not reach them."""
    if not actor.holds_bank_wide(roles):
        raise PermissionRefused(_("Your role does not allow this here."))
