from django.db import models
from django.utils.translation import gettext_lazy as _


class BusinessDay(models.Model):
    """A day of the bank. Exactly one is not closed: the business date."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSING = "closing", _("Closing")
        CLOSED = "closed", _("Closed")

    date = models.DateField(primary_key=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=~models.Q(state="closed"),
                name="one_business_date",
            )
        ]

    def __str__(self) -> str:
        return self.date.isoformat()


class CalendarOverride(models.Model):
    """A published change to the holiday calendar: a working Saturday, a bridge day."""

    date = models.DateField(_("date"), unique=True)
    is_working_day = models.BooleanField(_("working day"))
    reason = models.CharField(_("reason"), max_length=200)

    class Meta:
        verbose_name = _("calendar change")
        verbose_name_plural = _("calendar changes")

    def __str__(self) -> str:
        return self.date.isoformat()
