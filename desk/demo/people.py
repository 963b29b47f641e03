"""The demo branch: its offices, its people and what they may decide. Demo and test mode only."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import translation

from approvals.services.authorities import grant_authority
from branch.domain.actor import Actor, system_actor
from branch.domain.roles import Role
from branch.models import Office, User
from branch.queries.actors import actor_for
from branch.services import offices, parameters, staff
from branch.services.business_day import open_first_day

PASSWORD = "demo"
OFFICES = (
    ("CD", "城东支行", Office.Kind.BRANCH, "HO"),
    ("HW", "五金城支行", Office.Kind.SUB_BRANCH, "CD"),
    ("JB", "江北支行", Office.Kind.BRANCH, "HO"),
)
#: user name, name, home office, roles as (role, office); zhou comes first, as he lets the others in.
PEOPLE = (
    ("zhou", "周", "CD", ((Role.ADMINISTRATOR, "HO"), (Role.BRANCH_MANAGER, "CD"), (Role.PRODUCT_MANAGER, "HO"),
                          (Role.POLICY_MANAGER, "HO"))),
    ("lin", "林", "HW", ((Role.ACCOUNT_MANAGER, "CD"),)),
    ("zhao", "赵", "HW", ((Role.CO_INVESTIGATOR, "CD"),)),
    ("sun", "孙", "CD", ((Role.RISK_REVIEWER, "CD"),)),
    ("qian", "钱", "CD", ((Role.APPROVER, "CD"), (Role.PRODUCT_MANAGER, "HO"), (Role.POLICY_MANAGER, "HO"))),
    ("wu", "吴", "CD", ((Role.DISBURSEMENT_OFFICER, "CD"), (Role.LOAN_ACCOUNTANT, "CD"))),
    ("he", "何", "CD", ((Role.POST_LOAN_OFFICER, "CD"), (Role.LOAN_ACCOUNTANT, "CD"))),
    ("feng", "冯", "HO", ((Role.AUDITOR, "HO"),)),
    ("outsider", "江", "JB", ((Role.ACCOUNT_MANAGER, "JB"),)),
)  # fmt: skip
QIAN_MAY_DECIDE = Decimal("1000000.00")


def actor(username: str) -> Actor:
    return actor_for(User.objects.get(username=username))


@transaction.atomic
def found_branch(first_day: date) -> None:
    """Open the offices, let the people in, give them their roles and Qian an authority."""
    system = system_actor()
    with translation.override("zh-hans"):
        open_first_day(actor=system, date=first_day)
        # People for trial sign in with a password alone.
        parameters.set_parameter(
            actor=system, code="mfa.required_roles", value=[], effective_date=first_day, reason="demo"
        )
        places = {"HO": offices.open_head_office(actor=system, code="HO", name="总行")}
        for code, name, kind, parent in OFFICES:
            places[code] = offices.create_office(
                actor=system, parent_id=places[parent].pk, code=code, name=name, kind=kind
            )
        for username, name, home, roles in PEOPLE:
            person = staff.create_user(actor=system, username=username, display_name=name, office_id=places[home].pk)
            person.is_demo = True
            person.set_password(PASSWORD)
            person.save(update_fields=["is_demo", "password"])
            for role, office in roles:
                staff.assign_role(
                    actor=system, user_id=person.pk, role=role, office_id=places[office].pk, start_date=first_day
                )
        grant_authority(
            actor=actor("zhou"),
            user_id=User.objects.get(username="qian").pk,
            office_id=places["CD"].pk,
            limit_amount=QIAN_MAY_DECIDE,
            effective_date=first_day,
            reason="2026 年度授权",
        )
