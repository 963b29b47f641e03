from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Retained(models.Model):
    """What is kept of a person for a time, and then overwritten; or before, where they ask and no law forbids it."""

    #: Nothing personal stands in the row since; it stays for the figures that hang on it.
    erased_on = models.DateField(_("erased on"), null=True, editable=False)
    #: customers.domain.retention.Rule
    erased_rule = models.CharField(_("erased by the rule"), max_length=30, default="", editable=False)
    #: None where the night did it.
    erased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False,
        verbose_name=_("erased by"), db_index=False,
    )  # fmt: skip
    #: They asked for erasure and a law forbids it yet: since then the data is kept and nothing else.
    restricted_on = models.DateField(_("kept and not used since"), null=True, editable=False)
    #: Somebody had it kept whatever its time, with a reason: a lawsuit, an inquiry.
    held_on = models.DateField(_("held since"), null=True, editable=False)
    hold_reason = models.CharField(_("why it is held"), max_length=200, default="", editable=False)

    class Meta:
        abstract = True

    def closed_because(self) -> str:
        if self.erased_on is not None:
            return gettext("The personal data here were erased on %(day)s: nothing more can be done with it.") % {
                "day": date_format(self.erased_on, "Y-m-d")
            }
        if self.restricted_on is not None:
            return gettext(
                "Since %(day)s this data is only kept, because the law asks for it: the person wants it erased. "
                "It can be used again once the request is withdrawn."
            ) % {"day": date_format(self.restricted_on, "Y-m-d")}
        return ""
