from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from branch.models.office import Office
from branch.models.stateful import Stateful, state_field, state_is_known
from customers.domain.machines import SUGGESTION


class Suggestion(Stateful):
    """What customers ask for and the bank does not have, told by those who meet them; it stands at the head office."""

    MACHINE = SUGGESTION

    state = state_field(SUGGESTION)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="suggestions", verbose_name=_("suggested by")
    )
    from_office = models.ForeignKey(Office, models.PROTECT, related_name="+", verbose_name=_("from"))
    title = models.CharField(_("title"), max_length=120)
    text = models.TextField(_("suggestion"), max_length=4000)
    product_name = models.CharField(_("product"), max_length=120, default="", blank=True)
    #: How many voted for it; written with each vote.
    votes = models.PositiveIntegerField(_("votes"), default=0, editable=False)
    answer = models.TextField(_("answer"), default="", blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("answered by")
    )

    class Meta:
        verbose_name = _("product suggestion")
        verbose_name_plural = _("product suggestions")
        constraints = [state_is_known(SUGGESTION)]

    def __str__(self) -> str:
        return self.title


class SuggestionVote(models.Model):
    """One person's vote for a suggestion."""

    suggestion = models.ForeignKey(Suggestion, models.PROTECT, related_name="voters")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        constraints = [models.UniqueConstraint(fields=["suggestion", "user"], name="suggestion_vote_once")]

    def __str__(self) -> str:
        return f"{self.suggestion} {self.user}"
