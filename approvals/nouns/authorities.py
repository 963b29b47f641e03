"""Who may decide how much."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from rest_framework import serializers

from approvals.domain.routing import GRADES
from approvals.models import Authority
from approvals.services import authorities
from branch.domain.roles import Role
from branch.models import Office, User
from branch.queries.actors import holders_around
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, DateField, MoneyField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable
from loans.models.product import GuaranteeMode, Product

ANY = ("", _("Any"))


class GrantForm(ActionForm):
    user_id = forms.ModelChoiceField(queryset=User.objects.none(), label=_("Person"))
    office_id = forms.ModelChoiceField(queryset=Office.objects.none(), label=_("Office"))
    limit_amount = MoneyField(label=_("Up to"))
    family = forms.ChoiceField(label=_("Product family"), choices=[ANY, *Product.Family.choices], required=False)
    guarantee_mode = forms.ChoiceField(label=_("Guarantee"), choices=[ANY, *GuaranteeMode.choices], required=False)
    worst_grade = forms.ChoiceField(
        label=_("Worst risk grade"), choices=[ANY, *((grade, grade) for grade in GRADES)], required=False
    )
    effective_date = DateField(label=_("From"))
    end_date = DateField(label=_("Until"), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = holders_around(authorities.DECIDERS, self.actor.paths(authorities.GRANTERS))
        self.fields["user_id"].queryset = people.exclude(pk=self.actor.person_id)  # type: ignore[attr-defined]
        self.fields["office_id"].queryset = visible(Office, self.actor)  # type: ignore[attr-defined]


class AuthoritySerializer(serializers.ModelSerializer):
    class Meta:
        model = Authority
        fields = (
            "id", "user", "office", "family", "guarantee_mode", "worst_grade", "limit_amount", "effective_date",
            "end_date", "ended_on", "granted_by",
        )  # fmt: skip
        read_only_fields = fields


class AuthorityTable(NounTable):
    user = LinkColumn()
    limit_amount = MoneyColumn()
    effective_date = DateColumn()
    end_date = DateColumn()
    ended_on = DateColumn()

    class Meta(NounTable.Meta):
        model = Authority
        fields = ("user", "office", "limit_amount", "family", "guarantee_mode", "worst_grade", "effective_date",
                  "end_date", "ended_on")  # fmt: skip


class AuthorityFilter(FilterSet):
    class Meta:
        model = Authority
        fields = {"user": ["exact"], "family": ["exact"]}


register(
    Noun(
        name="authority",
        plural="authorities",
        model=Authority,
        readers=frozenset({Role.APPROVER, Role.BRANCH_MANAGER, Role.POLICY_MANAGER, Role.ADMINISTRATOR, Role.AUDITOR}),
        serializer=AuthoritySerializer,
        table=AuthorityTable,
        filterset=AuthorityFilter,
        section="account_for",
        icon="shield-check",
        search=lambda rows, text: rows.filter(user__display_name__icontains=text),
        related=("user", "granted_by"),
        api_ordering=("id", "limit_amount", "effective_date"),
        facts=lambda authority, actor: [
            (_("Person"), authority.user),
            (_("Office"), authority.office),
            (_("Up to"), authority.limit_amount),
            (_("Product family"), authority.get_family_display() or _("Any")),
            (_("Guarantee"), authority.get_guarantee_mode_display() or _("Any")),
            (_("Worst risk grade"), authority.worst_grade or _("Any")),
            (_("From"), authority.effective_date),
            (_("Until"), authority.end_date),
            (_("Taken back on"), authority.ended_on),
            (_("Granted by"), authority.granted_by),
        ],
        actions=(
            Action(
                "create",
                _("Grant an authority"),
                authorities.grant_authority,
                form=GrantForm,
                on="list",
                roles=authorities.GRANTERS,
                tone="primary",
            ),
            Action(
                "end",
                _("Take back"),
                authorities.end_authority,
                form=ReasonForm,
                roles=authorities.GRANTERS,
                tone="danger",
                when=lambda authority: authority.ended_on is None,
            ),
        ),
    )
)
