"""The generic API of a noun: list, one thing, its timeline, and one route per use case."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action as route
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, NotFound, StaleVersion
from branch.domain.text import can_be_kept
from branch.middleware import actor_of
from branch.models import Event
from branch.queries.visibility import is_open, visible
from branch.web.forms import ActionForm, is_of_shape, serializer_for
from branch.web.idempotency import digest, once
from branch.web.noun import NOUNS, Action, Noun, noun_of
from branch.web.paging import Pages

_ETAG = re.compile(r'^(?:W/)?"(\d{1,18})"$')


class EventSerializer(serializers.ModelSerializer):
    class Meta:
        model = Event
        fields = (
            "id", "at", "business_date", "name", "subject_type", "subject_id", "subject_label",
            "actor_id", "actor_name", "office_id", "before", "after", "reason", "request_id",
        )  # fmt: skip


class OnceMixin:
    """Honours Idempotency-Key on every POST: the same key and body get the same answer."""

    post: Any

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
        # Only where the answer is kept: an upload of any size is read as a stream, not into memory.
        body = request._request.body if key else b""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        if key:
            self.post = partial(self._once, self.post, key, body)

    def _once(self, handler: Any, key: str, body: bytes, request: Request, *args: Any, **kwargs: Any) -> Response:
        given: list[Response] = []

        def work() -> tuple[int, Any]:
            response = handler(request, *args, **kwargs)
            given.append(response)
            headers = {name: value for name, value in response.headers.items() if name in ("ETag", "Location")}
            return response.status_code, {"data": response.data, "headers": headers}

        status, answer, _replayed = once(
            caller=_caller(request),
            route=request.path,
            key=key,
            body_sha256=digest(request.path, _stable_body(request, body)),
            work=work,
        )
        if given:
            return given[0]
        self.require_still(*args, **kwargs)
        return Response(answer["data"], status=status, headers=answer["headers"] | {"Idempotency-Replayed": "true"})

    def require_still(self, *args: Any, **kwargs: Any) -> None:
        """Raises a refusal where an answer kept from before is no longer for this person."""


def _caller(request: Request) -> str:
    """Whose key it is: a visitor's belongs to the address it came from, so that strangers' keys don't meet."""
    if request.user.is_authenticated:
        return f"api:{request.user.pk}"
    return f"api:anonymous:{request.META.get('REMOTE_ADDR', '')}"[:170]


def _stable_body(request: Request, body: bytes) -> bytes:
    """The body without a multipart boundary, which differs each time the same form is sent."""
    match = re.search(r"boundary=\"?([^\";]+)", request.content_type or "")
    return body.replace(match[1].encode(), b"") if match else body


class NounViewSet(OnceMixin, viewsets.GenericViewSet):
    """Base of the generated view sets; `noun` is set by `viewset_of`."""

    noun: Noun
    pagination_class = Pages
    filter_backends = (DjangoFilterBackend, OrderingFilter)
    lookup_value_regex = r"\d+"

    @property
    def actor(self) -> Actor:
        request = self.request._request
        request.user = self.request.user  # token sign-in is known to DRF's request only
        return actor_of(request)

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):
            return self.noun.model._default_manager.none()
        rows = self.noun.rows(self.actor)
        query = self.request.query_params.get("q", "").strip().replace("\x00", "")
        return self.noun.search(rows, query) if query and self.noun.search else rows

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        found = self.thing(pk)
        if self.noun.opened is not None:
            self.noun.opened(found, self.actor)
        return self.answer(found)

    def events(self, request: Request, pk: str) -> Response:
        """The timeline, newest first."""
        pages = Pages()  # the noun's own filters and orders are not an event's
        page = pages.paginate_queryset(self.noun.timeline(self.thing(pk), self.actor), request)
        return pages.get_paginated_response(EventSerializer(page, many=True).data)

    def thing(self, pk: str) -> Any:
        found = self.noun.rows(self.actor).filter(pk=pk).first() if len(pk) < 19 else None
        if found is None:
            raise NotFound(_("There is no such record."))
        return found

    def require_still(self, pk: str | None = None) -> None:
        """A kept answer tells of the thing: whoever no longer sees it, or lost the role, does not get it again."""
        if pk is not None:
            self.thing(pk)
        else:
            name = self.action.removeprefix("do_").replace("_", "-")
            self.noun.require(self.noun.action(name), self.actor)

    def answer(self, obj: Any, status: int = 200) -> Response:
        """One thing with its ETag and what this person may do with it now."""
        noun = noun_of(obj) or self.noun
        data: dict[str, Any] = noun.serializer(obj, context=self.get_serializer_context()).data
        if noun.has_office:
            data = {**data, "allowed_actions": [offer.name for offer in noun.offers(self.actor, obj)]}
        headers = {"ETag": obj.etag} if hasattr(obj, "etag") else {}
        return Response(data, status=status, headers=headers)

    def perform(self, action: Action, request: Request, pk: str | None = None) -> Response:
        """Shape → service → answer. Raises InvalidInput for unknown fields, bad values, or a body that is a list."""
        obj = self.thing(pk) if pk is not None else None
        self.noun.require(action, self.actor, obj)
        values = self._values(action, request, obj)
        expected = _expected_version(request)
        if obj is not None and expected is not None and not action.takes_version:
            _require_version(obj, expected)
        result = action.call(self.actor, pk, values, expected, self.noun)
        if action.answer is not None:
            return Response(action.answer(result), status=_status(action))
        return self.answer(self._as_seen(result), status=_status(action))

    def _as_seen(self, made: Any) -> Any:
        """What a service made, read as this person sees it; what is out of their sight now is told this once."""
        model = (noun_of(made) or self.noun).model
        found = visible(model, self.actor).filter(pk=made.pk).first() if is_open(model) else None
        return found or model._default_manager.get(pk=made.pk)

    def rehearse(self, action: Action, request: Request, pk: str | None = None) -> Response:
        """What the use case would do; nothing of it stays."""
        obj = self.thing(pk) if pk is not None else None
        self.noun.require(action, self.actor, obj)
        values = self._values(action, request, obj)
        return Response(action.rehearsed(self.actor, pk, values, _expected_version(request), self.noun))

    def _values(self, action: Action, request: Request, obj: Any) -> dict[str, Any]:
        data = request.data
        if not isinstance(data, dict):  # a QueryDict is one
            raise InvalidInput(_("The body must be an object."))
        if wrong := [name for name, value in data.items() if not can_be_kept([name, value])]:
            raise InvalidInput(
                fields={_legible(n): [_("This text holds characters that can't be kept.")] for n in wrong}
            )
        sent = set(data) | set(request.FILES)
        if action.form is None:
            if sent:
                raise InvalidInput(fields={name: [_("Unknown field.")] for name in sorted(sent)})
            return {}
        form = action.form(_with_lists(data), request.FILES, actor=self.actor, instance=obj)
        if unknown := sent - set(form.fields):
            raise InvalidInput(fields={name: [_("Unknown field.")] for name in sorted(unknown)})
        if wrong := [name for name, value in data.items() if not is_of_shape(form.fields[name], value)]:
            raise InvalidInput(fields={name: [_("Not a value of the right kind.")] for name in wrong})
        for name in action.optional - sent:
            form.fields[name].required = False
        if not form.is_valid():
            raise InvalidInput(
                fields={
                    ("non_field_errors" if k == "__all__" else k): [str(text) for text in v]
                    for k, v in form.errors.items()
                }
            )
        return form.values(sent if action.partial else None)


def _legible(text: str) -> str:
    return text.encode(errors="replace").decode()


def _with_lists(data: Any) -> Any:
    """JSON as a form reads it: null is empty, lists stay lists."""
    return data if isinstance(data, QueryDict) else {k: "" if v is None else v for k, v in data.items()}


def _expected_version(request: Request) -> int | None:
    """The version in If-Match. Raises StaleVersion for an entity tag this program never gave out."""
    tag = request.headers.get("If-Match", "").strip()
    if not tag or tag == "*":
        return None
    match = _ETAG.match(tag)
    if match is None:
        raise StaleVersion(_("If-Match is not an entity tag of this record."))
    return int(match[1])


def _require_version(obj: Any, expected: int) -> None:
    """For use cases that leave the thing as it is. Raises StaleVersion, also where the thing has no entity tag."""
    if getattr(obj, "version", None) != expected:
        raise StaleVersion()


def _status(action: Action) -> int:
    """Of what a use case answers: a list's makes something, unless it has an answer of its own."""
    return 201 if action.on == "list" and action.answer is None else action.status


@cache
def _in_a_list(noun: Noun) -> type[serializers.Serializer]:
    """The noun's serializer without what its Meta names as shown only by a thing alone."""
    left_out = getattr(noun.serializer.Meta, "only_alone", ())  # type: ignore[attr-defined]
    return (
        _with_fields(noun, "{}InList", lambda fields: tuple(f for f in fields if f not in left_out))
        if left_out
        else noun.serializer
    )


@cache
def _alone(noun: Noun) -> type[serializers.Serializer]:
    """How one thing is described: a thing of an office says what may be done with it."""
    if not noun.has_office:
        return noun.serializer
    help_text = "Use cases this person may call on it now, by the last part of their address."
    actions = serializers.ListField(child=serializers.CharField(), read_only=True, help_text=help_text)
    return _with_fields(noun, "One{}", lambda fields: (*fields, "allowed_actions"), allowed_actions=actions)


def _with_fields(
    noun: Noun, name: str, change: Callable[[tuple[str, ...]], tuple[str, ...]], **members: Any
) -> type[serializers.Serializer]:
    own: Any = noun.serializer.Meta  # type: ignore[attr-defined]
    members["Meta"] = type("Meta", (own,), {"fields": change(own.fields)})
    return type(
        name.format(noun.serializer.__name__.removesuffix("Serializer")) + "Serializer", (noun.serializer,), members
    )


_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=False,
    description="The ETag the thing was read with; 412 where it has changed since.",
)


def viewset_of(noun: Noun) -> type[NounViewSet]:
    """The view set of a noun: one method per use case, described for OpenAPI."""
    members: dict[str, Any] = {
        "noun": noun,
        "serializer_class": _in_a_list(noun),
        "retrieve": extend_schema(responses=_alone(noun))(_copy(NounViewSet.retrieve)),
        "filterset_class": noun.filterset,
        "ordering_fields": noun.api_ordering,
        "events": extend_schema(
            operation_id=f"{noun.plural}_events".replace("-", "_"), responses=EventSerializer(many=True), filters=False
        )(route(detail=True, methods=["get"], url_path="events", url_name="events")(_copy(NounViewSet.events))),
    }
    for item in noun.actions:
        members |= _member(noun, item)
        if item.preview is not None:
            members |= _preview_member(noun, item)
    name = "".join(part.capitalize() for part in noun.name.split("_")) + "ViewSet"
    return extend_schema(tags=[noun.plural])(type(name, (NounViewSet,), members))


def _copy(function: Any) -> Any:
    """A function of its own, as decorators leave marks on what they decorate."""

    def copied(self: NounViewSet, request: Request, pk: str) -> Response:
        return function(self, request, pk)

    copied.__doc__ = function.__doc__
    copied.__name__ = function.__name__
    return copied


def _member(noun: Noun, item: Action) -> dict[str, Any]:
    form = item.form if item.form is None or issubclass(item.form, ActionForm) else None
    method_name = f"do_{item.name.replace('-', '_')}"

    def on_item(self: NounViewSet, request: Request, pk: str) -> Response:
        return self.perform(item, request, pk)

    def on_list(self: NounViewSet, request: Request) -> Response:
        return self.perform(item, request)

    handler = on_item if item.on == "item" else on_list
    handler.__name__ = method_name
    handler.__doc__ = (item.run.__doc__ or "").strip()
    described = extend_schema(
        operation_id=f"{noun.plural}_{item.name}".replace("-", "_"),
        request=serializer_for(form, optional=item.optional),
        responses={_status(item): item.answer_serializer or _alone(item.answers_with or noun)},
        parameters=[_IF_MATCH] if item.takes_version else [],
    )
    if item.name == "create":
        return {"create": described(handler)}
    if item.method == "PATCH":
        return {"partial_update": described(handler)}
    routed = route(
        detail=item.on == "item",
        methods=[item.method.lower()],  # type: ignore[list-item]
        url_path=item.name,
        url_name=item.name,
    )(handler)
    return {method_name: described(routed)}  # in this order: a route forgets how it was described


def _preview_member(noun: Noun, item: Action) -> dict[str, Any]:
    """The rehearsal of a use case, at its own address and `preview/`."""
    method_name = f"preview_{item.name.replace('-', '_')}"

    def on_item(self: NounViewSet, request: Request, pk: str) -> Response:
        return self.rehearse(item, request, pk)

    def on_list(self: NounViewSet, request: Request) -> Response:
        return self.rehearse(item, request)

    handler = on_item if item.on == "item" else on_list
    handler.__name__ = method_name
    handler.__doc__ = "What this would do, without doing it: " + (item.run.__doc__ or "").strip()
    name = "" if item.name == "create" else f"{item.name}/"
    described = extend_schema(
        operation_id=f"{noun.plural}_{item.name}_preview".replace("-", "_"),
        request=serializer_for(item.form, optional=item.optional),
        responses={200: item.preview_serializer},
        parameters=[_IF_MATCH] if item.takes_version else [],
    )
    routed = route(
        detail=item.on == "item", methods=["post"], url_path=f"{name}preview", url_name=f"{item.name}-preview"
    )(handler)
    return {method_name: described(routed)}


def api_urls() -> list[Any]:
    """Routes of every registered noun, below /api/v1/."""
    router = SimpleRouter()
    for noun in NOUNS.values():
        router.register(noun.plural, viewset_of(noun), basename=f"api-{noun.name}")
    return router.urls
