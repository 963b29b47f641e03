"""Who is told of what happens to products, files and investigations, after the commit."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from branch.domain.roles import Role
from branch.queries.actors import holders_of
from branch.queries.notifications import notice
from branch.services.notifications import notify
from branch.services.outbox import consumer
from loans.models import Investigation, ProductVersion

TO_SIGN = notice("investigation.to_sign", _("File %(number)s waits for a second signature"))
SIGNED = notice("investigation.signed", _("The investigation of file %(number)s is signed by both"))
TO_ACTIVATE = notice("product_version.to_activate", _("Version %(number)s of product %(code)s waits to be put on sale"))
ON_SALE = notice("product_version.on_sale", _("Version %(number)s of product %(code)s is on sale"))
SENT_BACK = notice("product_version.sent_back", _("Version %(number)s of product %(code)s was sent back to you"))


@consumer("investigation.signed_by_owner", "co-investigators")
def ask_for_second_signature(payload: dict[str, Any]) -> None:
    """Everybody who could sign second; the owner never can."""
    investigation = _investigation(payload)
    for user_id in holders_of(Role.CO_INVESTIGATOR, investigation.office.path):
        if user_id != investigation.owner_id:
            _about(user_id, TO_SIGN, investigation)


@consumer("investigation.signed_by_second", "owner")
def tell_of_second_signature(payload: dict[str, Any]) -> None:
    investigation = _investigation(payload)
    _about(investigation.owner_id, SIGNED, investigation)


def _investigation(payload: dict[str, Any]) -> Investigation:
    rows = Investigation.objects.select_related("application", "office")
    return rows.get(pk=payload["investigation_id"])


def _about(user_id: int, kind: str, investigation: Investigation) -> None:
    url = reverse("investigation-detail", args=[investigation.pk])
    notify(user_id, kind, url, number=investigation.application.number)


@consumer("product_version.submitted", "product managers")
def ask_for_activation(payload: dict[str, Any]) -> None:
    """Everybody who could put it on sale; its drafter never can."""
    version = _version(payload)
    for user_id in holders_of(Role.PRODUCT_MANAGER, version.office.path):
        if user_id != version.drafted_by_id:
            _of_version(user_id, TO_ACTIVATE, version)


@consumer("product_version.activated", "drafter")
def tell_of_activation(payload: dict[str, Any]) -> None:
    version = _version(payload)
    _of_version(version.drafted_by_id, ON_SALE, version)


@consumer("product_version.rejected", "drafter")
def tell_of_rejection(payload: dict[str, Any]) -> None:
    version = _version(payload)
    _of_version(version.drafted_by_id, SENT_BACK, version)


def _version(payload: dict[str, Any]) -> ProductVersion:
    return ProductVersion.objects.select_related("product", "office").get(pk=payload["product_version_id"])


def _of_version(user_id: int, kind: str, version: ProductVersion) -> None:
    url = reverse("product_version-detail", args=[version.pk])
    notify(user_id, kind, url, number=version.number, code=version.product.code)
