"""Reading the record back: the events of one subject, one file, one customer."""

from __future__ import annotations

from django.db.models import Model, Q, QuerySet

from branch.models import Event


def events_about(subject: Model) -> QuerySet[Event]:
    """Newest first. The caller has already established that the actor may see the subject."""
    return Event.objects.filter(subject_type=subject._meta.model_name, subject_id=str(subject.pk)).order_by("-id")


def events_of_file(subject: Model) -> QuerySet[Event]:
    """The subject's own events and those of the whole file it belongs to."""
    own = Q(subject_type=subject._meta.model_name, subject_id=str(subject.pk))
    key = getattr(subject, "file_key", "")
    return Event.objects.filter(own | Q(file_key=key) if key else own).order_by("-id")
