"""Choosing an account manager to hand work to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from branch.models import User
from branch.web.forms import ActionForm
from customers.queries.offices import account_managers


class ReassignForm(ActionForm):
    owner_id = forms.ModelChoiceField(queryset=User.objects.none(), label=_("Account manager"))
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance is not None:
            rows = account_managers(self.instance.office).exclude(pk=self.instance.owner_id)  # type: ignore[attr-defined]
            self.fields["owner_id"].queryset = rows  # type: ignore[attr-defined]
