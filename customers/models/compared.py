from django.db import models
from django.utils.translation import gettext_lazy as _


class Compared(models.Model):
    """What a firm and its person are compared with watchlists by, besides the key and spelling of the name."""

    #: Part of PERSONAL wherever the person's name is.
    KEYS_OF_PERSON = frozenset({"contact_key", "contact_spelling"})

    #: The name's key without its legal form.
    name_core = models.CharField(max_length=120, default="", editable=False)
    contact_key = models.CharField(max_length=60, default="", editable=False)
    contact_spelling = models.CharField(max_length=360, default="", editable=False)
    #: When names and numbers were last compared with every watchlist; None: not since they changed.
    screened_at = models.DateTimeField(_("screened at"), null=True, editable=False)

    class Meta:
        abstract = True
