from __future__ import annotations

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Office(models.Model):
    """A place in the tree head office → branch → sub-branch. `path` lists the ids from the root: `/1/4/9/`."""

    class Kind(models.TextChoices):
        HEAD_OFFICE = "head_office", _("Head office")
        BRANCH = "branch", _("Branch")
        SUB_BRANCH = "sub_branch", _("Sub-branch")

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=200, editable=False, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("office")
        verbose_name_plural = _("offices")
        indexes = [models.Index(OpClass("path", "varchar_pattern_ops"), name="office_path")]

    def __str__(self) -> str:
        return self.name

    @property
    def office(self) -> Office:
        """The office its own events belong to."""
        return self
