"""The form of what is known of a customer, shared by taking one on, correcting and converting a lead."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from branch.web.forms import ActionForm, DateField, MoneyField
from customers.models import Customer


class ProfileForm(ActionForm):
    kind = forms.ChoiceField(label=_("Kind"), choices=Customer.Kind.choices)
    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("As it stands in the business licence."))
    uscc = forms.CharField(
        label=_("Unified social credit code"),
        max_length=30,
        required=False,
        help_text=_("18 characters; farm households have none."),
    )
    contact_name = forms.CharField(label=_("Owner or legal representative"), max_length=60)
    identity_number = forms.CharField(
        label=_("Resident identity number"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    phone = forms.CharField(
        label=_("Phone"), max_length=30, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    address = forms.CharField(label=_("Business address"), max_length=200, required=False)
    industry = forms.CharField(label=_("Industry"), max_length=60, required=False)
    established_date = DateField(label=_("Established"), required=False)
    employees = forms.IntegerField(label=_("Employees"), min_value=0, required=False)
    annual_sales = MoneyField(label=_("Last year's sales"), min_value=0, required=False)
    repayment_account = forms.CharField(
        label=_("Repayment account"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
