"""Attachments are read through the thing they belong to: who sees it sees them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from django.apps import apps
from django.db.models import BigIntegerField, Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from branch.domain.actor import Actor
from branch.models import Attachment
from branch.models.stateful import Subject
from branch.queries.visibility import is_open, scope, visible


@cache
def subject_models() -> dict[str, type[Subject]]:
    """Every kind of subject that people see, in every app, by the name that events and attachments carry."""
    kinds = [model for model in apps.get_models() if issubclass(model, Subject) and is_open(model)]
    return {str(model._meta.model_name): model for model in kinds}


def subject_of(attachment: Attachment, actor: Actor) -> Subject | None:
    """The thing an attachment belongs to, if the actor may see it."""
    model = subject_models().get(attachment.subject_type)
    return visible(model, actor).filter(pk=attachment.subject_id).first() if model else None


def attachments_of(subject: Model) -> QuerySet[Attachment]:
    """Newest first. The caller has already established that the actor may see the subject."""
    return Attachment.objects.filter(subject_type=subject._meta.model_name, subject_id=str(subject.pk)).order_by("-id")


@scope(Attachment)
def _attachments(rows: QuerySet[Attachment], actor: Actor) -> QuerySet[Attachment]:
    return seen_with(rows, actor, subject_models())


def seen_with(rows: QuerySet[Attachment], actor: Actor, kinds: Iterable[str]) -> QuerySet[Attachment]:
    """Those of `rows` that are kept with a thing of one of these kinds the actor may see."""
    condition = Q(pk__in=[])
    for name in sorted(set(kinds) & set(subject_models())):
        model = subject_models()[name]
        seen = visible(model, actor).filter(pk=Cast(OuterRef("subject_id"), BigIntegerField()))
        condition |= Q(Exists(seen), subject_type=name)
    return rows.filter(condition)
