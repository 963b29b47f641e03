"""Administrators look after offices, people and roles in their subtree; nobody lifts themselves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth import authenticate
from django.test import Client
from knox.models import AuthToken

from branch.domain.actor import system_actor
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, Unmet
from branch.domain.roles import Role
from branch.models import CalendarOverride, Event, Office, ParameterValue, RoleAssignment, User
from branch.queries.actors import actor_for, holders_of
from branch.queries.business_date import is_working_day
from branch.queries.parameters import parameter
from branch.queries.visibility import visible
from branch.services import offices, staff
from branch.services.calendar import set_calendar_override
from branch.services.parameters import set_parameter
from branch.services.sessions import sign_out_everywhere
from tests.cast import OPENING

GOOD_PASSWORD = "three-red-lanterns"
DAY = timedelta(days=1)


@pytest.fixture
def root(cast):
    """A second head-office administrator, so that the rules about oneself can be told from the rules about roles."""
    user = User.objects.create_user("root", password="x", display_name="Root", office=cast.offices.HO)
    RoleAssignment.objects.create(user=user, role="administrator", office=cast.offices.HO, start_date=date(2020, 1, 1))
    return actor_for(user)


@pytest.fixture
def branch_admin(cast):
    """Administers the Chengdong branch only."""
    user = User.objects.create_user("bao", password="x", display_name="Bao", office=cast.offices.CD)
    RoleAssignment.objects.create(user=user, role="administrator", office=cast.offices.CD, start_date=date(2020, 1, 1))
    return actor_for(user)


def nothing_changed(*models):
    """The rows of these models and the record, to be compared before and after a refusal."""
    return [list(model.objects.order_by("pk").values()) for model in (*models, Event)]


# --- offices ---------------------------------------------------------------------------------------------


def test_an_office_is_added_under_its_parent(cast, root) -> None:
    office = offices.create_office(
        actor=root, parent_id=cast.offices.CD.pk, code="ST", name="石桥支行", kind="sub_branch"
    )
    assert office.path == f"{cast.offices.CD.path}{office.pk}/"
    event = Event.objects.get(name="office.create")
    assert (event.office_path, event.actor_name) == (office.path, "root")


@pytest.mark.parametrize(
    ("parent", "kind"),
    [("HO", "sub_branch"), ("CD", "branch"), ("HW", "sub_branch"), ("CD", "head_office"), ("CD", "x")],
)
def test_an_office_stands_only_where_its_kind_belongs(cast, root, parent, kind) -> None:
    before = nothing_changed(Office)
    with pytest.raises(InvalidInput):
        offices.create_office(
            actor=root, parent_id=getattr(cast.offices, parent).pk, code="ST", name="石桥支行", kind=kind
        )
    assert nothing_changed(Office) == before


def test_a_code_is_taken_once(cast, root) -> None:
    with pytest.raises(InvalidInput) as refusal:
        offices.create_office(actor=root, parent_id=cast.offices.HO.pk, code="CD", name="x", kind="branch")
    assert list(refusal.value.fields) == ["code"]


def test_a_moved_office_takes_its_subtree_and_its_people_with_it(cast, root) -> None:
    below = offices.create_office(actor=root, parent_id=cast.offices.HO.pk, code="XX", name="x", kind="branch")
    moved = offices.move_office(
        actor=root, office_id=cast.offices.HW.pk, parent_id=cast.offices.JB.pk, reason="reorganised"
    )

    assert moved.path == f"{cast.offices.JB.path}{moved.pk}/"
    assert set(Office.objects.filter(path__startswith=cast.offices.JB.path).values_list("code", flat=True)) == {
        "JB",
        "HW",
    }
    assert Office.objects.get(pk=below.pk).path == below.path
    # Lin's role at Chengdong no longer reaches the Hardware City sub-branch.
    assert not cast.actor("lin").holds({Role.ACCOUNT_MANAGER}, moved.path)
    event = Event.objects.get(name="office.move")
    assert (event.before["path"], event.after["path"], event.reason) == (
        cast.offices.HW.path,
        moved.path,
        "reorganised",
    )


def test_a_whole_branch_moves_with_everything_below(cast, root) -> None:
    other = Office.objects.create(code="H2", name="x", kind="head_office")
    other.path = f"/{other.pk}/"
    other.save()
    offices.move_office(actor=system_actor(), office_id=cast.offices.CD.pk, parent_id=other.pk, reason="sold")
    assert Office.objects.get(code="HW").path == f"/{other.pk}/{cast.offices.CD.pk}/{cast.offices.HW.pk}/"


def test_an_office_never_stands_under_itself(cast, root) -> None:
    before = nothing_changed(Office)
    with pytest.raises(InvalidInput):
        offices.move_office(actor=root, office_id=cast.offices.CD.pk, parent_id=cast.offices.HW.pk, reason="x")
    with pytest.raises(InvalidInput):
        offices.move_office(actor=root, office_id=cast.offices.HO.pk, parent_id=cast.offices.CD.pk, reason="x")
    assert nothing_changed(Office) == before


def test_a_branch_administrator_moves_nothing_out_of_the_branch(cast, branch_admin) -> None:
    before = nothing_changed(Office)
    with pytest.raises(NotFound):
        offices.move_office(actor=branch_admin, office_id=cast.offices.HW.pk, parent_id=cast.offices.JB.pk, reason="x")
    with pytest.raises(NotFound):
        offices.move_office(actor=branch_admin, office_id=cast.offices.JB.pk, parent_id=cast.offices.HO.pk, reason="x")
    assert nothing_changed(Office) == before


def test_there_is_one_head_office(cast) -> None:
    with pytest.raises(Unmet):
        offices.open_head_office(actor=system_actor(), code="H2", name="x")
    with pytest.raises(PermissionRefused):
        offices.open_head_office(actor=cast.actor("zhou"), code="H2", name="x")


# --- people -------------------------------------------------------------------------------------------------


def new_person(actor, cast, **more) -> User:
    facts = {"username": "newcomer", "display_name": "新", "office_id": cast.offices.CD.pk, "password": GOOD_PASSWORD}
    return staff.create_user(actor=actor, **(facts | more))


def test_a_new_person_can_sign_in_and_may_do_nothing(cast, root, rf) -> None:
    user = new_person(root, cast)
    assert authenticate(rf.post("/"), username="newcomer", password=GOOD_PASSWORD) == user
    assert actor_for(user).roles == frozenset()


def test_neither_password_nor_address_stand_in_the_record(cast, root) -> None:
    user = new_person(root, cast, email="newcomer@bank.example")
    staff.set_password(actor=root, user_id=user.pk, password="another-good-lantern")
    written = str(list(Event.objects.values()))
    user.refresh_from_db()
    for secret in (GOOD_PASSWORD, "another-good-lantern", user.password, "newcomer@bank.example"):
        assert secret not in written


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "demo"),
        ("password", "123456789012"),
        ("username", "LIN"),
        ("username", "no spaces"),
        ("username", ""),
        ("email", "not-an-address"),
        ("display_name", ""),
    ],
)
def test_bad_facts_about_a_person_are_refused_by_field(cast, root, field, value) -> None:
    before = nothing_changed(User)
    with pytest.raises(InvalidInput) as refusal:
        new_person(root, cast, **{field: value})
    assert list(refusal.value.fields) == [field]
    assert nothing_changed(User) == before


def everything_staff_can_do(cast) -> list:
    """Each staff service as a call on somebody or something at Chengdong, given the actor."""
    lin, office = cast.lin.pk, cast.offices.CD.pk
    assignment = RoleAssignment.objects.get(user=cast.lin).pk
    return [
        lambda a: offices.create_office(actor=a, parent_id=office, code="ST", name="x", kind="sub_branch"),
        lambda a: offices.rename_office(actor=a, office_id=office, name="x"),
        lambda a: offices.move_office(actor=a, office_id=cast.offices.HW.pk, parent_id=office, reason="x"),
        lambda a: new_person(a, cast),
        lambda a: staff.update_user(actor=a, user_id=lin, display_name="x", office_id=office),
        lambda a: staff.set_password(actor=a, user_id=lin, password=GOOD_PASSWORD),
        lambda a: staff.deactivate_user(actor=a, user_id=lin, reason="x"),
        lambda a: staff.reactivate_user(actor=a, user_id=lin, reason="x"),
        lambda a: staff.assign_role(
            actor=a, user_id=lin, role="approver", office_id=office, start_date=OPENING, reason="x"
        ),
        lambda a: staff.end_role(actor=a, assignment_id=assignment, end_date=OPENING, reason="x"),
        lambda a: sign_out_everywhere(actor=a, user_id=lin),
    ]


@pytest.mark.parametrize("who", ["zhao", "sun", "qian", "wu", "he", "feng", "outsider"])
def test_only_administrators_look_after_staff(cast, who) -> None:
    before = nothing_changed(Office, User, RoleAssignment)
    for call in everything_staff_can_do(cast):
        with pytest.raises((PermissionRefused, NotFound)):
            call(cast.actor(who))
    assert nothing_changed(Office, User, RoleAssignment) == before


def test_an_administrator_of_another_branch_does_none_of_it(cast) -> None:
    RoleAssignment.objects.create(
        user=cast.outsider, role="administrator", office=cast.offices.JB, start_date=date(2020, 1, 1)
    )
    before = nothing_changed(Office, User, RoleAssignment)
    for call in everything_staff_can_do(cast):
        with pytest.raises((PermissionRefused, NotFound)):
            call(cast.actor("outsider"))
    assert nothing_changed(Office, User, RoleAssignment) == before


@pytest.mark.parametrize("who", ["root", "branch_admin"])
def test_an_administrator_of_the_branch_or_above_does_all_of_it(cast, request, who) -> None:
    if who == "branch_admin":
        request.getfixturevalue("root")  # somebody must remain administrator at the head office
    for call in everything_staff_can_do(cast):
        call(request.getfixturevalue(who))


def test_who_is_deactivated_is_out_at_once(cast, root, rf) -> None:
    browser = Client()
    browser.force_login(cast.lin)
    UserSession.objects.create(user=cast.lin, ip="127.0.0.1", session_key=browser.session.session_key, user_agent="x")
    _token, secret = AuthToken.objects.create(user=cast.lin)

    staff.deactivate_user(actor=root, user_id=cast.lin.pk, reason="left the bank")

    assert authenticate(rf.post("/"), username="lin", password="demo") is None
    assert not AuthToken.objects.filter(user=cast.lin).exists()
    assert browser.session.get("_auth_user_id") is None
    assert holders_of(Role.ACCOUNT_MANAGER, cast.offices.HW.path) == []
    assert secret not in str(list(Event.objects.values()))


def test_nobody_deactivates_or_resets_themselves(cast, root) -> None:
    before = nothing_changed(User)
    with pytest.raises(PermissionRefused):
        staff.deactivate_user(actor=root, user_id=root.user_id, reason="x")
    with pytest.raises(PermissionRefused):
        staff.set_password(actor=root, user_id=root.user_id, password=GOOD_PASSWORD)
    assert nothing_changed(User) == before


# --- roles --------------------------------------------------------------------------------------------------


def assign(actor, cast, **more) -> RoleAssignment:
    facts = {
        "user_id": cast.outsider.pk,
        "role": "approver",
        "office_id": cast.offices.JB.pk,
        "start_date": OPENING,
    }
    return staff.assign_role(actor=actor, **(facts | more))


def test_a_role_is_held_from_its_first_day_to_its_last(cast, root) -> None:
    assign(root, cast, start_date=OPENING, end_date=OPENING + 3 * DAY)
    assert cast.actor("outsider").holds({Role.APPROVER}, cast.offices.JB.path)
    assert not cast.actor("outsider").holds({Role.APPROVER}, cast.offices.CD.path)


def test_a_role_for_later_is_not_held_yet(cast, root) -> None:
    assign(root, cast, start_date=OPENING + DAY)
    assert Role.APPROVER not in cast.actor("outsider").roles


def test_nobody_gives_a_role_to_themselves(cast, root) -> None:
    before = nothing_changed(RoleAssignment)
    with pytest.raises(PermissionRefused):
        assign(root, cast, user_id=root.user_id, office_id=cast.offices.HO.pk)
    assert nothing_changed(RoleAssignment) == before


@pytest.mark.parametrize("role", ["system", "nonsense", ""])
def test_the_system_role_and_unknown_ones_can_not_be_given(cast, root, role) -> None:
    with pytest.raises(InvalidInput):
        assign(root, cast, role=role)


def test_roles_are_not_backdated(cast, root) -> None:
    with pytest.raises(InvalidInput):
        assign(root, cast, start_date=OPENING - DAY)
    with pytest.raises(InvalidInput):
        assign(root, cast, start_date=OPENING + DAY, end_date=OPENING)


def test_the_same_role_is_not_held_twice_at_once(cast, root) -> None:
    assign(root, cast, end_date=OPENING + 5 * DAY)
    for start, end in ((OPENING, None), (OPENING + 5 * DAY, None), (OPENING + DAY, OPENING + 2 * DAY)):
        with pytest.raises(Unmet):
            assign(root, cast, start_date=start, end_date=end)
    assign(root, cast, start_date=OPENING + 6 * DAY)


def test_a_role_given_by_mistake_is_taken_back_the_same_day_and_may_be_given_again(cast, root) -> None:
    mistake = assign(root, cast)
    staff.end_role(actor=root, assignment_id=mistake.pk, end_date=OPENING - DAY, reason="mistake")
    assert Role.APPROVER not in cast.actor("outsider").roles
    assign(root, cast)
    assert Role.APPROVER in cast.actor("outsider").roles


def test_a_role_is_not_ended_in_the_past_or_twice(cast, root) -> None:
    assignment = RoleAssignment.objects.get(user=cast.lin)
    with pytest.raises(InvalidInput):
        staff.end_role(actor=root, assignment_id=assignment.pk, end_date=OPENING - 2 * DAY, reason="x")
    staff.end_role(actor=root, assignment_id=assignment.pk, end_date=OPENING - DAY, reason="x")
    with pytest.raises(Unmet):
        staff.end_role(actor=root, assignment_id=assignment.pk, end_date=OPENING, reason="x")


def test_somebody_remains_administrator(cast) -> None:
    """Zhou is the only one at the head office: neither the role nor the person can be taken away."""
    last = RoleAssignment.objects.get(user=cast.zhou, role="administrator")
    before = nothing_changed(User, RoleAssignment)
    with pytest.raises(Unmet):
        staff.end_role(actor=system_actor(), assignment_id=last.pk, end_date=OPENING, reason="x")
    with pytest.raises(Unmet):
        staff.deactivate_user(actor=system_actor(), user_id=cast.zhou.pk, reason="x")
    assert nothing_changed(User, RoleAssignment) == before


def test_a_branch_administrator_can_not_become_somebody_with_more_power(cast, root, branch_admin) -> None:
    """Zhou sits in the branch but holds roles at the head office: her password and address are out of reach."""
    before = nothing_changed(User)
    zhou = cast.zhou.pk
    for call in (
        lambda: staff.set_password(actor=branch_admin, user_id=zhou, password=GOOD_PASSWORD),
        lambda: staff.update_user(
            actor=branch_admin, user_id=zhou, display_name="x", office_id=cast.offices.CD.pk, email="me@x.example"
        ),
        lambda: staff.deactivate_user(actor=branch_admin, user_id=zhou, reason="x"),
    ):
        with pytest.raises(PermissionRefused):
            call()
    assert nothing_changed(User) == before


def test_a_role_that_asks_for_a_second_factor_ends_what_was_signed_in_without(cast, root) -> None:
    AuthToken.objects.create(user=cast.outsider)
    assign(root, cast, role="administrator")
    assert not AuthToken.objects.filter(user=cast.outsider).exists()


# --- parameters and the calendar ------------------------------------------------------------------------------


def set_days(actor, value=60, **more) -> ParameterValue:
    facts: dict[str, Any] = {"code": "offer.validity_days", "effective_date": OPENING, "reason": "policy 12/2026"}
    return set_parameter(actor=actor, value=value, **(facts | more))


def test_a_parameter_changes_from_its_day_on_and_keeps_its_history(cast) -> None:
    set_days(cast.actor("zhou"), 60)
    set_days(cast.actor("zhou"), "45", effective_date=OPENING + 10 * DAY)

    assert parameter("offer.validity_days", OPENING - DAY) == 90
    assert parameter("offer.validity_days") == 60
    assert parameter("offer.validity_days", OPENING + 10 * DAY) == 45
    event = Event.objects.filter(name="parameter.set").latest("id")
    assert (event.before, event.after["value"], event.reason) == ({"value": 60}, 45, "policy 12/2026")


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("offer.validity_days", "many"),
        ("offer.validity_days", 60.5),
        ("offer.validity_days", True),
        ("offer.validity_days", 0),
        ("offer.validity_days", -1),
        ("offer.validity_days", 366),
        ("penalty.overdue_uplift", "NaN"),
        ("penalty.overdue_uplift", "1.01"),
        ("penalty.compounds", "perhaps"),
        ("mfa.required_roles", "administrator, aproover"),
        ("mfa.required_roles", ["system"]),
    ],
)
def test_a_value_that_does_not_fit_is_refused(cast, code, value) -> None:
    before = nothing_changed(ParameterValue)
    with pytest.raises(InvalidInput) as refusal:
        set_parameter(actor=cast.actor("zhou"), code=code, value=value, effective_date=OPENING, reason="x")
    assert list(refusal.value.fields) == ["value"]
    assert nothing_changed(ParameterValue) == before


def test_parameters_are_not_set_for_the_past_unknown_or_without_a_reason(cast) -> None:
    for wrong in ({"effective_date": OPENING - DAY}, {"code": "no.such"}, {"reason": " "}):
        with pytest.raises(InvalidInput) as refusal:
            set_days(cast.actor("zhou"), **wrong)
        assert list(refusal.value.fields) == list(wrong)


@pytest.mark.parametrize("who", ["lin", "qian", "feng", "outsider"])
def test_parameters_and_calendar_are_the_administrators(cast, who) -> None:
    before = nothing_changed(ParameterValue, CalendarOverride)
    with pytest.raises(PermissionRefused):
        set_days(cast.actor(who))
    with pytest.raises(PermissionRefused):
        set_calendar_override(actor=cast.actor(who), date=OPENING + DAY, is_working=False, reason="x")
    assert nothing_changed(ParameterValue, CalendarOverride) == before


def test_a_branch_administrator_does_not_set_what_holds_for_the_bank(branch_admin) -> None:
    with pytest.raises(PermissionRefused):
        set_days(branch_admin)
    with pytest.raises(PermissionRefused):
        set_calendar_override(actor=branch_admin, date=OPENING + DAY, is_working=False, reason="x")


def test_the_calendar_is_overridden_for_coming_days_only(cast) -> None:
    friday = OPENING + 4 * DAY
    zhou = cast.actor("zhou")
    set_calendar_override(actor=zhou, date=friday, is_working=False, reason="flood")
    assert not is_working_day(friday)
    set_calendar_override(actor=zhou, date=friday, is_working=True, reason="flood is over")
    assert is_working_day(friday)
    for day, reason in ((OPENING, "x"), (OPENING - DAY, "x"), (friday, "")):
        with pytest.raises(InvalidInput):
            set_calendar_override(actor=zhou, date=day, is_working=False, reason=reason)


# --- who sees what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("zhou", {"HO", "CD", "HW", "JB"}),
        ("feng", {"HO", "CD", "HW", "JB"}),
        ("branch_admin", {"CD", "HW"}),
        ("lin", set()),
        ("outsider", set()),
    ],
)
def test_offices_people_and_roles_are_seen_by_subtree(cast, request, who, seen) -> None:
    actor = request.getfixturevalue(who) if who == "branch_admin" else cast.actor(who)
    assert set(visible(Office, actor).values_list("code", flat=True)) == seen
    assert set(visible(User, actor).values_list("office__code", flat=True)) <= seen
    assert set(visible(RoleAssignment, actor).values_list("office__code", flat=True)) <= seen


def test_the_audit_trail_is_cut_to_the_subtree(cast) -> None:
    set_days(cast.actor("zhou"))
    staff.update_user(
        actor=cast.actor("zhou"), user_id=cast.outsider.pk, display_name="x", office_id=cast.offices.JB.pk
    )
    staff.update_user(actor=cast.actor("zhou"), user_id=cast.lin.pk, display_name="x", office_id=cast.offices.HW.pk)

    def trail(actor) -> list[str]:
        return list(visible(Event, actor).order_by("id").values_list("subject_id", flat=True))

    parameter_row = str(ParameterValue.objects.get().pk)
    assert trail(cast.actor("feng")) == [parameter_row, str(cast.outsider.pk), str(cast.lin.pk)]
    assert trail(cast.actor("zhou")) == [str(cast.lin.pk)]  # branch manager at Chengdong
    assert trail(cast.actor("lin")) == trail(cast.actor("outsider")) == []
