"""The named cast every test plays with: who they are, where, and what role they hold."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

from django.contrib.auth.hashers import make_password

from branch.domain.actor import Actor
from branch.models import BusinessDay, Office, RoleAssignment, User
from branch.queries.actors import actor_for

OPENING = date(2026, 3, 2)

#: username → (name, home office code, [(role, office code), …])
PEOPLE: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "lin": ("林", "HW", [("account_manager", "CD")]),
    "zhao": ("赵", "HW", [("co_investigator", "CD")]),
    "sun": ("孙", "CD", [("risk_reviewer", "CD")]),
    "qian": ("钱", "CD", [("approver", "CD"), ("product_manager", "HO")]),
    "wu": ("吴", "CD", [("disbursement_officer", "CD"), ("loan_accountant", "CD")]),
    "zhou": (
        "周",
        "CD",
        [("branch_manager", "CD"), ("product_manager", "HO"), ("policy_manager", "HO"), ("administrator", "HO")],
    ),
    "he": ("何", "CD", [("post_loan_officer", "CD"), ("loan_accountant", "CD")]),
    "feng": ("冯", "HO", [("auditor", "HO")]),
    "outsider": ("江", "JB", [("account_manager", "JB")]),
}


def make_offices() -> dict[str, Office]:
    """Head office > Chengdong branch > Hardware City sub-branch, and Jiangbei branch beside it."""
    offices: dict[str, Office] = {}
    for code, name, kind, parent in (
        ("HO", "总行", "head_office", None),
        ("CD", "城东支行", "branch", "HO"),
        ("HW", "五金城支行", "sub_branch", "CD"),
        ("JB", "江北支行", "branch", "HO"),
    ):
        above = offices.get(parent or "")
        office = Office.objects.create(code=code, name=name, kind=kind, parent=above)
        office.path = f"{above.path if above else '/'}{office.pk}/"
        office.save()
        offices[code] = office
    return offices


def make_cast() -> SimpleNamespace:
    """The offices and the people, on an open business day. `cast.actor("lin")` is Lin acting."""
    BusinessDay.objects.create(date=OPENING)
    offices = make_offices()
    # Two statements for all of them: thousands of tests begin here.
    password = make_password("demo")
    people = {
        username: User(username=username, password=password, display_name=name, office=offices[home])
        for username, (name, home, _) in PEOPLE.items()
    }
    User.objects.bulk_create(people.values())
    RoleAssignment.objects.bulk_create(
        RoleAssignment(user=people[username], role=role, office=offices[code], start_date=date(2020, 1, 1))
        for username, (_, _, roles) in PEOPLE.items()
        for role, code in roles
    )

    def actor(username: str) -> Actor:
        return actor_for(User.objects.get(username=username))

    return SimpleNamespace(offices=SimpleNamespace(**offices), actor=actor, OPENING=OPENING, **people)
