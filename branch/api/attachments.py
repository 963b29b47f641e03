"""Attachments of a thing: list, upload, download."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import quote

from django.http import FileResponse, HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, NotFound
from branch.middleware import actor_of
from branch.models import Attachment
from branch.models.stateful import Subject
from branch.queries.attachments import attachments_of, subject_models
from branch.queries.visibility import visible
from branch.services.attachments import attach, open_attachment
from branch.services.file_types import extension_of
from branch.web.api import OnceMixin
from branch.web.noun import noun_of
from branch.web.paging import Pages
from branch.words import listed


class AttachmentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Attachment
        fields = (
            "id", "subject_type", "subject_id", "kind", "title", "media_type", "size_bytes", "sha256",
            "expires_on", "uploaded_by", "created_at", "erased_on",
        )  # fmt: skip


class NewAttachmentSerializer(serializers.Serializer):
    subject_type = serializers.CharField(max_length=40, help_text="What it belongs to, such as `customer`.")
    subject_id = serializers.IntegerField(min_value=1)
    kind = serializers.CharField(max_length=60)
    title = serializers.CharField(max_length=200)
    expires_on = serializers.DateField(
        required=False, allow_null=True, help_text="The last day it holds; left out where it has no end."
    )
    file = serializers.FileField(help_text="PDF, PNG, JPEG, WebP, DOCX, XLSX, CSV or TXT.")


def actor_in(request: Request) -> Actor:
    request._request.user = request.user  # token sign-in is known to DRF's request only
    return actor_of(request._request)


def subject_seen(actor: Actor, subject_type: str, subject_id: Any) -> Subject:
    """The thing named by type and number. Raises NotFound where it is not there or not for this person."""
    model = subject_models().get(subject_type)
    number = str(subject_id)
    if model is None or not number.isascii() or not number.isdigit() or len(number) > 18:
        raise NotFound(_("There is no such record."))
    subject = visible(model, actor).filter(pk=number).first()
    if subject is None:
        raise NotFound(_("There is no such record."))
    return subject


def upload_to(
    actor: Actor, subject: Subject, *, kind: str, title: str, file: Any, expires_on: date | None = None
) -> Attachment:
    """Attach an upload in one of the kinds the noun knows. Raises InvalidInput for any other kind."""
    noun = noun_of(subject)
    kinds = [code for code, _label in noun.attachment_kinds] if noun else []
    if kinds and kind not in kinds:
        raise InvalidInput(fields={"kind": [_("Choose one of: %(kinds)s.") % {"kinds": listed(kinds)}]})
    return attach(actor=actor, subject=subject, kind=kind, title=title, upload=file, expires_on=expires_on)


def file_response(actor: Actor, attachment_id: int) -> FileResponse:
    """The file as a download a browser never shows or runs in this site's name."""
    attachment, file = open_attachment(actor=actor, attachment_id=attachment_id)
    response = FileResponse(file, content_type=attachment.media_type)
    response["Content-Disposition"] = _disposition(attachment)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    # Stands instead of the site's own policy: even opened in a tab, the file can load and run nothing.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _disposition(attachment: Attachment) -> str:
    """RFC 6266 with the full name per RFC 5987 and a plain one for clients that can't read it."""
    extension = extension_of(attachment.media_type)
    name = attachment.title.replace("/", "_").replace("\\", "_")
    if extension and not name.lower().endswith(f".{extension}"):
        name = f"{name}.{extension}"
    return f"attachment; filename=\"{attachment.pk}.{extension or 'bin'}\"; filename*=UTF-8''{quote(name, safe='')}"


class AttachmentsView(OnceMixin, APIView):
    """The attachments of one thing, and adding one."""

    parser_classes = (MultiPartParser,)

    @extend_schema(
        tags=["attachments"],
        operation_id="attachments_list",
        parameters=[
            OpenApiParameter("subject_type", str, required=True),
            OpenApiParameter("subject_id", int, required=True),
        ],
        responses=AttachmentSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        subject = subject_seen(actor_in(request), given.get("subject_type", ""), given.get("subject_id", ""))
        pages = Pages()
        page = pages.paginate_queryset(attachments_of(subject), request, view=self)
        return pages.get_paginated_response(AttachmentSerializer(page, many=True).data)

    @extend_schema(
        tags=["attachments"],
        operation_id="attachments_create",
        request={"multipart/form-data": NewAttachmentSerializer},
        responses={201: AttachmentSerializer},
    )
    def post(self, request: Request) -> Response:
        given = NewAttachmentSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        actor = actor_in(request)
        subject = subject_seen(actor, values.pop("subject_type"), values.pop("subject_id"))
        attachment = upload_to(actor, subject, **values)
        return Response(AttachmentSerializer(attachment).data, status=201)


class AttachmentContentView(APIView):
    """The file itself; every download is on the record."""

    @extend_schema(
        tags=["attachments"],
        operation_id="attachments_content",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        return file_response(actor_in(request), pk)
