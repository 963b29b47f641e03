"""The generic pages of a noun: list with export, one thing, one action."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.crypto import get_random_string
from django.utils.encoding import iri_to_uri
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, Refusal
from branch.middleware import actor_of
from branch.models.stateful import Subject
from branch.queries.attachments import attachments_of
from branch.web import export
from branch.web.forms import ActionForm
from branch.web.idempotency import digest, once
from branch.web.noun import Action, Noun, url_of
from branch.web.tables import paged
from branch.web.timeline import entries

TIMELINE_LENGTH = 12
WHOLE_TIMELINE = 500


def page_urls(noun: Noun) -> list[URLPattern]:
    """Routes of the noun's pages, under its plural."""
    routes = [
        path(f"{noun.plural}/", login_required(_list_view(noun)), name=f"{noun.name}-list"),
        path(f"{noun.plural}/export.<str:form>", login_required(_export_view(noun)), name=f"{noun.name}-export"),
        path(f"{noun.plural}/<int:pk>/", login_required(_detail_view(noun)), name=f"{noun.name}-detail"),
    ]
    for action in noun.actions:
        where = f"{noun.plural}/{action.name}/" if action.on == "list" else f"{noun.plural}/<int:pk>/{action.name}/"
        view = login_required(_action_view(noun, action))
        routes.insert(2, path(where, view, name=f"{noun.name}-{action.name}"))
    return routes


def _narrowed(noun: Noun, request: HttpRequest) -> tuple[Any, Any, str]:
    rows = noun.rows(actor_of(request)).order_by(*noun.ordering)
    query = request.GET.get("q", "").strip().replace("\x00", "")
    if query and noun.search:
        rows = noun.search(rows, query)
    filterset = noun.filterset(request.GET, queryset=rows, request=request)
    return (filterset.qs if filterset.is_valid() else rows.none()), filterset, query


def _list_view(noun: Noun) -> Any:
    def view(request: HttpRequest) -> HttpResponse:
        rows, filterset, query = _narrowed(noun, request)
        actor = actor_of(request)
        table = paged(request, noun.table(rows))
        kept = urlencode([(k, v) for k, v in request.GET.items() if k not in ("page", "sort")])
        context = {
            "noun": noun,
            "table": table,
            "filter": filterset,
            "query": query,
            "narrowed": bool(query) or any(request.GET.get(name) for name in filterset.form.fields),
            "export_urls": {form: f"{noun.url()}export.{form}{'?' + kept if kept else ''}" for form in ("csv", "xlsx")},
            "create_actions": noun.list_offers(actor),
        }
        return render(request, noun.list_template, context)

    return view


def _export_view(noun: Noun) -> Any:
    def view(request: HttpRequest, form: str) -> HttpResponseBase:
        writer = {"csv": export.as_csv, "xlsx": export.as_xlsx}.get(form)
        if writer is None:
            raise Http404
        rows, _filterset, _query = _narrowed(noun, request)
        return writer(noun.table(rows), noun.plural)

    return view


def thing(noun: Noun, request: HttpRequest, pk: int) -> Any:
    """The row behind a page. Raises NotFound where it is not there or not for this person."""
    found = noun.rows(actor_of(request)).filter(pk=pk).first()
    if found is None:
        raise NotFound(_("There is no such record."))
    return found


def _detail_view(noun: Noun) -> Any:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        obj = thing(noun, request, pk)
        if noun.opened is not None:
            noun.opened(obj, actor_of(request))
        return render(request, noun.template, detail_context(noun, request, obj))

    return view


def detail_context(noun: Noun, request: HttpRequest, obj: Any) -> dict[str, Any]:
    """What every page of one thing shows: facts, buttons, timeline, attachments, and what the noun adds."""
    actor = actor_of(request)
    offers = noun.offers(actor, obj)
    length = WHOLE_TIMELINE if request.GET.get("timeline") == "all" else TIMELINE_LENGTH
    events = list(noun.timeline(obj, actor)[: length + 1])
    context = {
        "noun": noun,
        "object": obj,
        "facts": noun.facts(obj, actor) if noun.facts else [],
        "offers": offers,
        "primary_offer": offers[0] if offers and offers[0].tone == "primary" else None,
        "events": entries(events[:length]),
        "more_events_url": "?timeline=all" if len(events) > length else "",
        "attachments": attachments_of(obj),
        "upload_kinds": () if isinstance(obj, Subject) and obj.closed_because() else noun.attachment_kinds,
        "idempotency_key": get_random_string(24),
    }
    return context | (noun.context(obj, actor) if noun.context else {})


def _action_view(noun: Noun, action: Action) -> Any:
    def view(request: HttpRequest, pk: int | None = None) -> HttpResponse:
        actor = actor_of(request)
        obj = thing(noun, request, pk) if pk is not None else None
        noun.require(action, actor, obj)
        form_class = action.form or ActionForm
        if request.method != "POST":
            if obj is not None and not action.offered(actor, obj):
                raise PermissionRefused(_("This can't be done here by you, or not now."))
            # What a link says goes before what is filled in by itself.
            initial = (action.initial(actor, obj) if action.initial else {}) | request.GET.dict()
            form = form_class(initial=initial, actor=actor, instance=obj)
            return _show(request, noun, action, obj, form)
        form = form_class(request.POST, request.FILES, actor=actor, instance=obj)
        _let_be_left_out(form, action, _sent(request, action))
        if not form.is_valid():
            return _show(request, noun, action, obj, form, status=422)
        try:
            if action.preview is not None and "preview" in request.POST:
                return _show(request, noun, action, obj, form, preview=_previewed(request, noun, action, obj, form))
            return _submitted(request, noun, action, obj, form)
        except Refusal as refusal:
            # 404 and a role that is not right are pages of their own; the rest is said on the form.
            if isinstance(refusal, NotFound):
                raise
            _put_on_form(form, refusal)
            return _show(request, noun, action, obj, form, status=refusal.status)

    return view


def _sent(request: HttpRequest, action: Action) -> set[str] | None:
    """The fields a page that saves as typed sent, one at a time; None where a whole form was sent."""
    return set(request.POST) | set(request.FILES) if action.partial and "partial" in request.POST else None


def _let_be_left_out(form: ActionForm, action: Action, sent: set[str] | None) -> None:
    for name in action.optional - sent if sent is not None else ():
        form.fields[name].required = False


def _previewed(request: HttpRequest, noun: Noun, action: Action, obj: Any, form: ActionForm) -> Any:
    """What it would do, as the action tells it."""
    pk = obj.pk if obj is not None else None
    return action.rehearsed(actor_of(request), pk, form.values(), None, noun)


def _submitted(request: HttpRequest, noun: Noun, action: Action, obj: Any, form: ActionForm) -> HttpResponse:
    actor = actor_of(request)
    version = request.POST.get("version", "")

    def call() -> Any:
        pk = obj.pk if obj is not None else None
        values = form.values(_sent(request, action))
        return action.call(actor, pk, values, int(version) if version.isdecimal() and len(version) < 19 else None, noun)

    def work() -> tuple[int, Any]:
        result = call()
        return 200, {"url": _next_url(request) or url_of(result) or (noun.url(obj) if obj is not None else noun.url())}

    if action.answer_template and (action.answer or request.htmx):  # type: ignore[attr-defined]
        return _answered(request, noun, action, obj, form, call())
    key = request.POST.get("idempotency_key", "")
    if key:
        body = json.dumps({k: request.POST.getlist(k) for k in sorted(request.POST) if k != "csrfmiddlewaretoken"})
        _status, answer, _replayed = once(
            caller=f"page:{actor.user_id}",
            route=request.path,
            key=key,
            body_sha256=digest(request.path, body),
            work=work,
        )
    else:
        _status, answer = work()
    messages.success(request, _("Done: %(action)s") % {"action": action.label})
    if request.htmx:  # type: ignore[attr-defined]
        response = HttpResponse(status=204)
        response["HX-Redirect"] = answer["url"]
        return response
    return redirect(answer["url"])


def _answered(
    request: HttpRequest, noun: Noun, action: Action, obj: Any, form: ActionForm, result: Any
) -> HttpResponse:
    """What came of it, in place of the form. Never kept: it may be personal data."""
    context = {"noun": noun, "action": action, "object": obj, "form": form, "result": result}
    if action.answer:
        context["answer"] = action.answer(result)
    if action.context:
        context |= action.context(actor_of(request), result)
    response = render(request, action.answer_template, context)
    response["Cache-Control"] = "no-store"
    return response


def _next_url(request: HttpRequest) -> str:
    """Where the form was opened from, if that is a page of ours."""
    url = request.POST.get("next", "")
    ours = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return iri_to_uri(url) if ours and url.isprintable() else ""


def _put_on_form(form: ActionForm, refusal: Refusal) -> None:
    if isinstance(refusal, InvalidInput) and refusal.fields:
        for name, errors in refusal.fields.items():
            links = refusal.facts.get("links", {}).get(name, [])
            for error in errors:
                form.add_error(name if name in form.fields else None, _with_links(error, links))
    else:
        form.add_error(None, _(refusal.detail))


def _with_links(error: str, links: list[dict[str, str]]) -> str:
    """The message with what it names leading to its page."""
    for link in links:
        head, found, tail = error.partition(link["text"])
        if found:
            return format_html('{}<a href="{}">{}</a>{}', head, link["url"], link["text"], tail)
    return error


def _show(
    request: HttpRequest, noun: Noun, action: Action, obj: Any, form: ActionForm, status: int = 200, preview: Any = None
) -> HttpResponse:
    context = {
        "preview": preview,
        "noun": noun,
        "action": action,
        "object": obj,
        "form": form,
        "version": getattr(obj, "version", ""),
        "idempotency_key": request.POST.get("idempotency_key") or get_random_string(24),
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "cancel_url": noun.url(obj) if obj is not None else noun.url(),
    }
    if action.context:
        context |= action.context(actor_of(request), obj)
    template = action.template
    if template == "nouns/action.html" and request.htmx:  # type: ignore[attr-defined]
        template = "nouns/_action_form.html"
    return render(request, template, context, status=status)
