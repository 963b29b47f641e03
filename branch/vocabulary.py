"""Words for what stands in the record only as a code: states and events of this app, named here for translation."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

from branch.words import name_events

STATES = (
    pgettext_lazy("state", "businessday.open"),
    pgettext_lazy("state", "businessday.closing"),
    pgettext_lazy("state", "businessday.closed"),
    pgettext_lazy("state", "paymentinstruction.created"),
    pgettext_lazy("state", "paymentinstruction.sent"),
    pgettext_lazy("state", "paymentinstruction.unknown"),
    pgettext_lazy("state", "paymentinstruction.succeeded"),
    pgettext_lazy("state", "paymentinstruction.failed"),
)
#: Titles of the refusals, which the domain names without knowing of languages.
REFUSALS = (
    _("Refused"),
    _("Not found"),
    _("Not permitted"),
    _("Separation of duties"),
    _("Above your authority"),
    _("Not possible in this state"),
    _("Something is missing"),
    _("Changed by somebody else meanwhile"),
    _("Sign-in failed"),
    _("A second factor is required"),
    _("Set up a second factor first"),
    _("Too many failed attempts"),
    _("Please correct the marked fields"),
    _("Idempotency key used with another request"),
)
#: Said by Django, whose own catalogue lacks it.
TOO_SHORT = ngettext_lazy(
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)
name_events(
    {
        "business_day.open": pgettext_lazy("event", "opened the bank's first business day"),
        "business_day.begin_close": pgettext_lazy("event", "began the close of the day"),
        "business_day.close": pgettext_lazy("event", "closed the day"),
        "calendar.set": pgettext_lazy("event", "set a working day or holiday"),
        "parameter.set": pgettext_lazy("event", "changed a parameter"),
        "office.create": pgettext_lazy("event", "opened the office"),
        "office.rename": pgettext_lazy("event", "renamed the office"),
        "office.move": pgettext_lazy("event", "moved the office"),
        "user.create": pgettext_lazy("event", "added the person"),
        "user.update": pgettext_lazy("event", "changed the person's data"),
        "user.set_password": pgettext_lazy("event", "set a new password"),
        "user.deactivate": pgettext_lazy("event", "deactivated the person"),
        "user.reactivate": pgettext_lazy("event", "let the person in again"),
        "user.sign_in": pgettext_lazy("event", "signed in"),
        "user.sign_out_everywhere": pgettext_lazy("event", "signed out everywhere"),
        "role.assign": pgettext_lazy("event", "gave a role"),
        "role.end": pgettext_lazy("event", "ended a role"),
        "attachment.add": pgettext_lazy("event", "added a document"),
        "attachment.correct": pgettext_lazy("event", "corrected how long a document is valid"),
        "attachment.download": pgettext_lazy("event", "downloaded a document"),
    }
)
