"""Who is on file already: by code, identity, phone and name; refused where sure, asked about where likely."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation
from rest_framework.test import APIClient

from branch.domain.refusals import InvalidInput, PermissionRefused
from branch.models import Event, OutboxMessage, RoleAssignment, User
from customers.domain.duplicates import ALIKE_FROM, Facts, Ground, ground, names_alike, phone_key, telling_pieces
from customers.domain.names import bigrams
from customers.models import ImportFinding, Lead, RecordImport, RecordSource
from customers.queries.duplicates import duplicates_of
from customers.services import imports, lead_lists, leads
from tests.cast import OPENING
from tests.customers.making import make_customer, make_lead, resident_id_of, state_of_world, uscc_of

FIRM = {"name": "鑫达五金店", "contact_name": "陈", "phone": "13900139000", "source": "visit"}


def capture(actor: Any, **changes: Any) -> Lead:
    return leads.capture_lead(actor=actor, **(FIRM | changes))


# --- pure


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (Facts("甲", uscc="X"), Facts("乙", uscc="X"), Ground.USCC),
        (Facts("甲", identity="d"), Facts("乙", identity="d"), Ground.IDENTITY),
        (Facts("鑫达五金", phone="p"), Facts("鑫達 五金", phone="p"), Ground.PHONE_AND_NAME),
        (Facts("鑫达五金", phone="p"), Facts("永泰塑料", phone="p"), Ground.PHONE),
        (Facts("鑫达五金"), Facts("新达五金"), Ground.NAME),
        (Facts("鑫达五金有限公司"), Facts("鑫达五金（个体工商户）"), Ground.NAME),
        (Facts("鑫达五金1号店"), Facts("鑫达五金2号店"), None),
        (Facts("鑫达五金", uscc="X"), Facts("永泰塑料", uscc="Y"), None),
        (Facts("甲"), Facts("乙"), None),
    ],
)
def test_why_two_are_taken_for_one(one: Facts, other: Facts, why: Ground | None) -> None:
    assert ground(one, other, ALIKE_FROM) == why
    assert ground(other, one, ALIKE_FROM) == why


@pytest.mark.parametrize("length", range(3, 16))
def test_no_name_that_is_alike_goes_unseen(length: int) -> None:
    """Every name one or two characters away that is still alike is found, even if what both share is common."""
    characters = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来"
    name = characters[:length]
    others = [name[:i] + "鑫" + name[i:] for i in range(length + 1)]
    others += [name[:i] + name[i + 1 :] for i in range(length)]
    others += [name[:i] + "鑫" + name[i + 1 :] for i in range(length)]
    others += [one[:i] + "达" + one[i + 1 :] for one in others for i in range(len(one))]
    alike = [other for other in others if names_alike(name, other, ALIKE_FROM)]

    assert alike
    for one, other in [(name, other) for other in alike] + [(other, name) for other in alike]:
        pieces = set(bigrams(other))
        assert pieces & set(telling_pieces(one, dict.fromkeys(pieces, 1.0))), (one, other)


@pytest.mark.parametrize("typed", ["13800138000", "+8613800138000", "8613800138000", "008613800138000"])
def test_a_number_is_one_with_and_without_the_countrys_prefix(typed: str) -> None:
    assert phone_key(typed) == "13800138000"


# --- at capture


@pytest.mark.parametrize(
    ("known", "new", "field"),
    [
        ({"uscc": uscc_of(7)}, {"uscc": uscc_of(7).lower(), "name": "永泰塑料", "phone": ""}, "uscc"),
        (
            {"identity_number": resident_id_of(7)},
            {"identity_number": resident_id_of(7), "name": "永泰塑料", "phone": ""},
            "identity_number",
        ),
        ({}, {"name": "鑫達 五金店", "phone": "+86 139-0013-9000"}, "phone"),
    ],
)
def test_who_is_an_open_lead_for_sure_is_refused_beside_the_field(cast, actor, known, new, field) -> None:
    lin = actor("lin")
    first = capture(lin, **known)
    before = state_of_world()

    with pytest.raises(InvalidInput) as refused:
        capture(lin, **new, capture_anyway=True, anyway_reason="另一家")

    assert list(refused.value.fields) == [field]
    assert refused.value.facts["links"] == {field: [{"text": first.name, "url": f"/leads/{first.pk}/"}]}
    assert state_of_world() == before


def test_a_customer_on_file_is_refused_too(cast, actor) -> None:
    customer = make_customer(actor("lin"), phone="13900139000", name="鑫达五金店有限公司")
    with pytest.raises(InvalidInput) as refused:
        capture(actor("lin"))
    assert refused.value.facts["links"]["phone"] == [{"text": customer.name, "url": f"/customers/{customer.pk}/"}]


def test_whose_it_is_stays_unsaid_where_the_person_may_not_see_it(cast, actor) -> None:
    make_customer(actor("outsider"), 7, name="江北秘密商行")
    with translation.override("en"), pytest.raises(InvalidInput) as refused:
        capture(actor("lin"), uscc=uscc_of(7))
    assert "branch manager" in str(refused.value)
    assert "江北" not in str(refused.value.fields) + str(refused.value.facts)
    assert refused.value.facts["links"] == {}


@pytest.mark.parametrize("new", [{"phone": "", "name": "新达五金店"}, {"name": "永泰塑料"}])
def test_who_may_be_on_file_is_asked_about_and_the_answer_is_kept(cast, actor, new) -> None:
    lin = actor("lin")
    capture(lin)
    before = state_of_world()

    with pytest.raises(InvalidInput) as asked:
        capture(lin, **new)
    assert list(asked.value.fields) == ["capture_anyway"]
    with pytest.raises(InvalidInput) as asked:
        capture(lin, **new, capture_anyway=True, anyway_reason=" ")
    assert list(asked.value.fields) == ["anyway_reason"]
    assert state_of_world() == before

    lead = capture(lin, **new, capture_anyway=True, anyway_reason="隔壁的店，老板不同")
    assert lead.looks_known
    assert Event.objects.get(name="lead.capture", subject_id=str(lead.pk)).reason == "隔壁的店，老板不同"


def test_a_like_name_at_another_branch_is_another_firm(cast, actor) -> None:
    capture(actor("outsider"), phone="")
    assert not capture(actor("lin"), phone="").looks_known


def test_a_lead_that_is_over_stands_in_nobodys_way(cast, actor) -> None:
    lin = actor("lin")
    lost = capture(lin)
    leads.lose_lead(actor=lin, lead_id=lost.pk, code="price")
    assert not capture(lin).looks_known


def test_a_change_that_makes_it_another_one_is_refused(cast, actor) -> None:
    lin = actor("lin")
    capture(lin, uscc=uscc_of(7))
    other = make_lead(lin, name="永泰塑料", phone="")
    with pytest.raises(InvalidInput) as refused:
        leads.update_lead(actor=lin, lead_id=other.pk, uscc=uscc_of(7))
    assert list(refused.value.fields) == ["uscc"]
    assert leads.update_lead(actor=lin, lead_id=other.pk, note="改").note == "改"


def test_the_number_of_queries_does_not_grow_with_what_is_on_file(cast, actor, django_assert_num_queries) -> None:
    lin = actor("lin")
    lead = capture(lin)
    for number in range(12):
        make_lead(lin, name=f"鑫达五金店{'甲乙丙丁戊己庚辛壬癸子丑'[number]}", phone="")

    with django_assert_num_queries(13):
        assert len(duplicates_of(lead, lin)) == 12


# --- closing one as a duplicate


def test_a_duplicate_is_closed_with_the_one_it_is_of(cast, actor) -> None:
    lin = actor("lin")
    first = capture(lin)
    second = make_lead(lin, name="新达五金店", phone="")

    lost = leads.lose_lead(actor=lin, lead_id=second.pk, code="duplicate", duplicate_lead_id=first.pk)

    assert (lost.state, lost.lost_reason_code, lost.duplicate_of) == ("lost", "duplicate", first)
    back = leads.reopen_lead(actor=lin, lead_id=second.pk)
    assert (back.lost_reason_code, back.duplicate_of) == ("", None)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"code": "bored"}, "code"),
        ({"code": "other"}, "reason"),
        ({}, "reason"),
        ({"code": "price", "duplicate_lead_id": 1}, "code"),
        ({"code": "duplicate", "duplicate_lead_id": 0}, None),
        ({"code": "duplicate", "duplicate_lead_id": 999999}, "duplicate_lead_id"),
        ({"code": "duplicate", "duplicate_customer_id": 999999}, "duplicate_customer_id"),
    ],
)
def test_a_loss_without_its_reason_is_refused(cast, actor, values, field) -> None:
    lead = capture(actor("lin"))
    if field is None:
        assert leads.lose_lead(actor=actor("lin"), lead_id=lead.pk, **values).duplicate_of is None
        return
    before = state_of_world()
    with pytest.raises(InvalidInput) as refused:
        leads.lose_lead(actor=actor("lin"), lead_id=lead.pk, **values)
    assert list(refused.value.fields) == [field]
    assert state_of_world() == before


def test_how_far_it_came_is_kept_when_it_is_lost(cast, actor) -> None:
    lin = actor("lin")
    lead = capture(lin)
    leads.contact_lead(actor=lin, lead_id=lead.pk, next_action="送资料清单")
    leads.qualify_lead(actor=lin, lead_id=lead.pk)
    assert leads.lose_lead(actor=lin, lead_id=lead.pk, code="price").reached == "qualified"


def test_an_identity_number_is_never_shown_or_recorded_in_clear(cast, actor, client: Client) -> None:
    number = resident_id_of(7)
    lead = capture(actor("lin"), identity_number=number)
    client.force_login(cast.lin)
    for path in (f"/leads/{lead.pk}/", f"/leads/{lead.pk}/update/", f"/api/v1/leads/{lead.pk}/"):
        assert number not in client.get(path).content.decode()
    assert number not in str(list(Event.objects.values()))
    kept = leads.update_lead(actor=actor("lin"), lead_id=lead.pk, note="改")
    assert kept.identity_number == number


# --- on the page


def test_the_form_shows_the_way_to_what_is_on_file_and_then_lets_it_in(cast, actor, client: Client) -> None:
    first = capture(actor("lin"))
    client.force_login(cast.lin)
    where = reverse("lead-create")
    assert 'type="checkbox" name="capture_anyway"' not in client.get(where).content.decode()

    asked = client.post(where, FIRM | {"name": "永泰塑料"})
    assert asked.status_code == 400
    page = asked.content.decode()
    assert f'<a href="/leads/{first.pk}/">鑫达五金店</a>已是' in page
    assert 'type="checkbox" name="capture_anyway"' in page

    given = client.post(where, FIRM | {"name": "永泰塑料", "capture_anyway": "on", "anyway_reason": "合用电话"})
    assert given.status_code == 302
    assert Lead.objects.get(name="永泰塑料").looks_known


def test_the_leads_page_names_what_it_may_be(cast, actor, client: Client) -> None:
    colleague = User.objects.create_user("ma", display_name="马", office=cast.offices.HW)
    RoleAssignment.objects.create(
        user=colleague, role="account_manager", office=cast.offices.CD, start_date=cast.OPENING
    )
    capture(actor("ma"))
    lead = make_lead(actor("lin"), name="新达五金店", phone="13700137000")

    client.force_login(cast.lin)
    assert "鑫达五金店" not in client.get(f"/leads/{lead.pk}/").content.decode()
    client.force_login(cast.feng)
    assert "鑫达五金店" in client.get(f"/leads/{lead.pk}/").content.decode()


# --- lists


HEAD = "名称,联系人,手机号,统一社会信用代码,身份证号,意向金额,来源\n"


def take_in(actor: Any, *lines: str, **options: Any) -> RecordImport:
    file = SimpleUploadedFile("list.csv", (HEAD + "\n".join(lines) + "\n").encode("gb18030"))
    sent = lead_lists.receive_leads(actor=actor, file=file, start=True, **options)
    assert imports.run_import(sent.pk)
    return RecordImport.objects.get(pk=sent.pk)


def found_in(done: RecordImport) -> list[tuple[int, str, str, str]]:
    rows = ImportFinding.objects.filter(record_import=done).order_by("line", "pk")
    return [(row.line, row.field, row.weight, row.code) for row in rows]


def test_the_good_rows_of_a_list_are_kept_and_the_others_reported(cast, actor) -> None:
    lin = actor("lin")
    capture(lin, uscc=uscc_of(7))
    done = take_in(
        lin,
        f'永泰塑料厂,李,13600000001,{uscc_of(8)},,"300,000",平台',
        f"别的名字,李,13600000002,{uscc_of(7)},,,",
        "新达五金店,李,13600000003,,,,上门",
        ",李,123,,,,",
        "宏光灯具,王,13600000004,91330212MA0000001X,330212198001010010,x,月球",
        "永泰塑料厂,李,13600000001,,,,",
        "少一格,王",
        "城南水产行,王,13600000005,,,,",
    )

    assert found_in(done) == [
        (3, "uscc", "rejected", "known"),
        (4, "name", "flagged", "maybe_known"),
        (5, "name", "rejected", "missing"),
        (5, "phone", "rejected", "not_a_phone_number"),
        (6, "wanted_amount", "rejected", "not_an_amount"),
        (6, "source", "rejected", "unknown_source"),
        (7, "phone", "rejected", "known"),
        (8, "", "rejected", "columns"),
    ]
    assert done.counts == {"rows": 8, "accepted": 3, "maybe_known": 1, "rejected": 5}
    first = Lead.objects.get(name="永泰塑料厂")
    assert (first.owner, first.office, first.origin, first.source) == (cast.lin, cast.offices.HW, "batch", "platform")
    assert first.wanted_amount == 300000
    assert Lead.objects.get(name="新达五金店").source == "visit"
    assert Event.objects.filter(name="lead.capture", subject_id=str(first.pk), actor_id=cast.lin.pk).exists()


def test_numbers_of_people_stand_in_the_report_as_masks(cast, actor) -> None:
    done = take_in(
        actor("lin"), f"宏光灯具,王,13600000004,,{resident_id_of(3)},x,", f"坏,13600000009,{resident_id_of(4)}"
    )
    kept = str(list(ImportFinding.objects.filter(record_import=done).values_list("raw", flat=True)))
    for number in ("13600000004", "13600000009", resident_id_of(3), resident_id_of(4)):
        assert number not in kept


@pytest.mark.parametrize("amount", ["1E+30", "999999999999999999999999999999", "1e999999", "NaN", "-1"])
def test_an_amount_no_money_can_be_is_reported_and_the_list_goes_on(cast, actor, amount: str) -> None:
    done = take_in(actor("lin"), f"永泰塑料厂,李,13600000001,,,{amount},", "城南水产行,王,13600000005,,,,")
    assert found_in(done) == [(2, "wanted_amount", "rejected", "not_an_amount")]
    assert done.state == "done"
    assert Lead.objects.get().name == "城南水产行"


def test_the_same_list_again_adds_nothing(cast, actor) -> None:
    lines = ("永泰塑料厂,李,13600000001,,,,", "城南水产行,王,13600000005,,,,")
    take_in(actor("lin"), *lines)
    again = take_in(actor("lin"), *lines)
    assert again.counts == {"rows": 2, "rejected": 2}
    assert Lead.objects.count() == 2


def test_a_list_is_shared_out_by_load(cast, actor) -> None:
    for name in ("ma", "ning"):
        user = User.objects.create_user(name, display_name=name, office=cast.offices.HW)
        RoleAssignment.objects.create(user=user, role="account_manager", office=cast.offices.CD, start_date=OPENING)
    for number in range(2):
        make_lead(actor("lin"), name=f"老线索{number}", phone="")
    names = "甲乙丙丁戊己庚"

    take_in(actor("lin"), *(f"{one}记商行,王,1360000000{place},,,," for place, one in enumerate(names)), by_load=True)

    loads = {name: Lead.objects.filter(owner__username=name).count() for name in ("lin", "ma", "ning")}
    assert loads == {"lin": 3, "ma": 3, "ning": 3}
    told = OutboxMessage.objects.filter(topic="leads.given").values_list("payload__number", flat=True)
    assert sorted(told) == [3, 3]


def test_a_client_system_sends_rows_and_gets_the_report(cast, actor) -> None:
    grid = User.objects.create_user("portal", office=cast.offices.CD)
    RoleAssignment.objects.create(user=grid, role="integration", office=cast.offices.CD, start_date=OPENING)
    client = APIClient()
    client.force_authenticate(grid)
    rows = [{"name": "永泰塑料厂", "contact_name": "李", "phone": "13600000001"}, {"name": "缺联系人"}]

    answer = client.post("/api/v1/leads/import/", {"rows": rows, "source": "platform"}, format="json")
    assert answer.status_code == 201, answer.content
    imports.run_import(answer.json()["id"])

    assert Lead.objects.get().owner == cast.lin
    assert Lead.objects.get().origin == "api"
    report: Any = client.get(f"/api/v1/record-imports/{answer.json()['id']}/report/")
    assert b"contact_name" in b"".join(report.streaming_content)
    assert client.get("/api/v1/leads/").status_code == 403


def test_a_list_too_long_keeps_what_was_taken_in(cast, actor, monkeypatch) -> None:
    monkeypatch.setattr("customers.services.intake.lead_rows.MOST_LEADS", 200)
    done = take_in(actor("lin"), *(f"商行{number},王,{13600000000 + number},,,," for number in range(201)))
    assert done.state == "refused"
    assert Lead.objects.count() == 200


def test_leads_come_in_by_their_own_door_only(cast, actor) -> None:
    source = RecordSource.objects.create(office=cast.offices.HO, code="tax", name="税务")
    with pytest.raises(InvalidInput):
        imports.receive_import(actor=actor("he"), source_id=source.pk, layout="leads", file=b"name\nx\n")
    for name in ("he", "zhou", "feng"):
        with pytest.raises(PermissionRefused):
            lead_lists.receive_leads(actor=actor(name), file=b"name\nx\n")


# --- sharing out


def test_new_leads_of_somebody_away_go_to_the_others(cast, actor) -> None:
    for name in ("ma", "ning"):
        user = User.objects.create_user(name, display_name=name, office=cast.offices.HW)
        RoleAssignment.objects.create(user=user, role="account_manager", office=cast.offices.CD, start_date=OPENING)
    made = [make_lead(actor("lin"), name=f"老线索{number}", phone="") for number in range(4)]
    leads.contact_lead(actor=actor("lin"), lead_id=made[0].pk)
    make_lead(actor("ma"), name="马的线索", phone="")

    assert leads.assign_leads(actor=actor("zhou"), owner_id=cast.lin.pk, reason="休假") == 3
    assert {n: Lead.objects.filter(owner__username=n).count() for n in ("lin", "ma", "ning")} == {
        "lin": 1, "ma": 2, "ning": 2,
    }  # fmt: skip
    with pytest.raises(PermissionRefused):
        leads.assign_leads(actor=actor("lin"), owner_id=cast.lin.pk)


def test_nobody_else_at_the_office_takes_nothing_over(cast, actor) -> None:
    make_lead(actor("lin"))
    with pytest.raises(InvalidInput):
        leads.assign_leads(actor=actor("zhou"), owner_id=cast.lin.pk)
    assert Lead.objects.get().owner == cast.lin
