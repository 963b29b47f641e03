"""The public page of a referral link, for people nobody knows yet; its QR code and poster, for those who made it."""

from __future__ import annotations

import io
import json
from typing import Any

import segno
from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from rest_framework.throttling import SimpleRateThrottle

from branch.domain.refusals import InvalidInput, NotFound, WrongState
from branch.domain.text import can_be_kept
from branch.web.forms import MoneyField
from branch.web.idempotency import digest, once
from branch.web.noun import NOUNS
from branch.web.pages import thing
from customers.models import ReferralLink
from customers.services.referrals import consent_text, is_taking, receive_referral


class _PerAddress(SimpleRateThrottle):
    scope = "referral"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class _PerLink(SimpleRateThrottle):
    scope = "referral-link"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": view}


class VisitorForm(forms.Form):
    name = forms.CharField(label=_("Firm or trade name"), max_length=120)
    contact_name = forms.CharField(
        label=_("Your name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    phone = forms.CharField(
        label=_("Phone"), max_length=30, widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"})
    )
    wanted_amount = MoneyField(label=_("Amount wanted"), required=False)
    #: No person sees it; what fills every field fills this one too.
    website = forms.CharField(
        label="Website", required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"})
    )
    has_consented = forms.BooleanField(label=_("I agree to be called"))

    def full_clean(self) -> None:
        super().full_clean()
        for name, value in list(getattr(self, "cleaned_data", {}).items()):
            if not can_be_kept(value):
                self.add_error(name, _("This text holds characters that can't be kept."))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def referral_page(request: HttpRequest, token: str) -> HttpResponse:
    """The form, and what is sent with it. The answer never tells whether the firm is on file already."""
    for throttle in (_PerAddress(), _PerLink()) if request.method == "POST" else (_PerAddress(),):
        if not throttle.allow_request(request, token):  # type: ignore[arg-type]
            return _too_often(request, throttle)
    link = ReferralLink.objects.select_related("campaign", "owner", "office").filter(token=token).first()
    if link is None:
        return render(request, "referral/closed.html", status=404)
    if not is_taking(link):
        return _closed(request)
    return _sent(request, link) if request.method == "POST" else _shown(request, link, VisitorForm())


def _sent(request: HttpRequest, link: ReferralLink) -> HttpResponse:
    form = VisitorForm(request.POST)
    if not form.is_valid():
        return _shown(request, link, form, status=422)
    if not form.cleaned_data["website"]:
        try:
            _receive(request, link.token, form.cleaned_data)
        except (WrongState, NotFound):
            return _closed(request)
        except InvalidInput as refusal:
            for field, messages in refusal.fields.items():
                for message in messages:
                    form.add_error(field if field in form.fields else None, message)
            return _shown(request, link, form, status=422)
    return redirect(reverse("referral-done", args=[link.token]))


def _receive(request: HttpRequest, token: str, given: dict[str, Any]) -> None:
    """Once, however often the button was pressed."""
    values = {name: value for name, value in given.items() if name != "website"}

    def work() -> tuple[int, Any]:
        receive_referral(token=token, **values)
        return 200, {}

    key = request.POST.get("idempotency_key", "")
    if not key:
        work()
        return
    body = json.dumps({name: str(value) for name, value in sorted(values.items())})
    once(caller=f"referral:{token}", route="referral", key=key, body_sha256=digest(token, body), work=work)


def _shown(request: HttpRequest, link: ReferralLink, form: VisitorForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "owner": link.owner,
        "office": link.office,
        "consent": consent_text(),
        "idempotency_key": get_random_string(24),
    }
    return render(request, "referral/form.html", context, status=status)


def _closed(request: HttpRequest) -> HttpResponse:
    return render(request, "referral/closed.html", status=410)


def _too_often(request: HttpRequest, throttle: SimpleRateThrottle) -> HttpResponse:
    wait = int(throttle.wait() or 0) + 1
    response = render(request, "referral/often.html", {"wait": wait}, status=429)
    response["Retry-After"] = str(wait)
    return response


@require_safe
def referral_done(request: HttpRequest, token: str) -> HttpResponse:
    """The same words for whatever was sent."""
    return render(request, "referral/done.html")


# --- for those who made it


def _of_link(request: HttpRequest, pk: int) -> tuple[ReferralLink, str]:
    link: ReferralLink = thing(NOUNS["referral_link"], request, pk)
    return link, request.build_absolute_uri(reverse("referral", args=[link.token]))


@login_required
@require_safe
def qr_code(request: HttpRequest, pk: int) -> HttpResponse:
    """The address as a QR code in SVG. Raises NotFound for whom the link is not."""
    _link, address = _of_link(request, pk)
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", scale=8, border=4, light="#fff")
    return HttpResponse(drawn.getvalue(), content_type="image/svg+xml")


@login_required
@require_safe
def poster(request: HttpRequest, pk: int) -> HttpResponse:
    """A page to print and hang up."""
    link, address = _of_link(request, pk)
    return render(request, "referral/poster.html", {"object": link, "address": address})
