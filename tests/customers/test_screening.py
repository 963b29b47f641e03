"""Watchlists: what comes in, who is found, what stops, who decides, and that nights add up to a whole run."""

from __future__ import annotations

import random
from typing import Any

import pytest

from branch.domain.refusals import DutiesConflict, InvalidInput, NotFound, PermissionRefused, Unmet
from branch.models import RoleAssignment
from branch.services import outbox
from customers.domain.names import likeness
from customers.domain.screening import PIECES_FROM
from customers.models import (
    Customer,
    ImportFinding,
    RecordImport,
    ScreeningHit,
    ScreeningRun,
    Watchlist,
    WatchlistEntry,
    WatchlistPiece,
)
from customers.services import customers, imports, leads, screening, screening_hits, screening_runs, watchlists
from customers.services.screening import refuse_if_listed, screen_customer
from customers.tasks import screen_book
from tests.customers.making import make_customer, make_lead, qualified_lead, resident_id_of, uscc_of

HEADINGS = "姓名,统一社会信用代码,身份证号,案号,原因,列入日期\n"


@pytest.fixture
def watchlist(actor) -> Watchlist:
    return watchlists.create_watchlist(actor=actor("zhou"), code="court", name="失信名单", kind="dishonest_debtor")


@pytest.fixture
def send(actor, watchlist):
    """Send lines as a file of the list and have them taken in; the finished import."""

    def send(*lines: str, whole: bool = True, to: Watchlist | None = None) -> RecordImport:
        content = (HEADINGS + "\n".join(lines) + ("\n" if whole else "")).encode()
        sent = watchlists.send_list(actor=actor("zhou"), watchlist_id=(to or watchlist).pk, file=content, start=True)
        imports.run_import(sent.pk)
        return RecordImport.objects.get(pk=sent.pk)

    return send


def in_force() -> dict[str, WatchlistEntry]:
    return {entry.name: entry for entry in WatchlistEntry.objects.filter(ended_at=None)}


def hits() -> list[tuple[str, str, str, int]]:
    rows = ScreeningHit.objects.select_related("customer", "lead", "entry").order_by("pk")
    return [(str(hit.subject), hit.entry.name, hit.match, hit.score) for hit in rows]


# --- a file of a list


def test_entries_come_in_with_keys_and_without_identity_numbers(send):
    number = resident_id_of(7)
    done = send(f"鑫達五金（寧波）有限公司,{uscc_of(3)},,（2025）浙01,欠款,2025-03-04", f"陈建国,,{number},案2,,")
    assert (done.state, done.counts) == ("done", {"rows": 2, "accepted": 2})
    firm, person = in_force()["鑫達五金（寧波）有限公司"], in_force()["陈建国"]
    assert (firm.name_key, firm.core_key, firm.uscc) == ("鑫达五金宁波有限公司", "鑫达五金宁波", uscc_of(3))
    assert (str(firm.listed_on), firm.reason, firm.reference) == ("2025-03-04", "欠款", "（2025）浙01")
    assert len(person.identity_digest) == 64
    assert number not in str(list(WatchlistEntry.objects.values()))


def test_what_is_wrong_is_told_without_the_number_and_the_rest_is_kept(send):
    number = resident_id_of(7)
    done = send(f",,{number},1,,", f"王伟,X1,{number[:-1]}0,2,,昨天", f"李明,,{number},3,,,太多")
    assert sorted(in_force()) == ["王伟"], "an entry with a bad number is kept by its name"
    rows = ImportFinding.objects.filter(record_import=done)
    assert sorted((row.line, row.field, row.weight, row.code) for row in rows) == [
        (2, "name", "rejected", "missing"),
        (3, "identity_number", "flagged", "not_an_identity"),
        (3, "listed_on", "flagged", "not_a_date"),
        (3, "uscc", "flagged", "not_a_uscc"),
        (4, "", "rejected", "columns"),
    ]
    assert number[:-1] not in str(list(rows.values()))


def test_the_preview_shows_no_identity_number(actor, watchlist):
    number = resident_id_of(7)
    content = f"{HEADINGS}陈建国,,{number},案2,{number},\n".encode()
    sent = watchlists.send_list(actor=actor("zhou"), watchlist_id=watchlist.pk, file=content)
    assert imports.preview(sent).rows == [["陈建国", "", "***", "案2", "***", ""]]


def test_the_whole_list_ends_what_it_no_longer_has(send):
    send("甲五金厂,,,1,,", "乙五金厂,,,2,,", "丙五金厂,,,3,,")
    again = send("甲五金厂,,,1,,", "乙五金厂,,,2,改了原因,")
    assert again.counts == {"rows": 2, "unchanged": 1, "replaced": 1, "ended": 1}
    assert sorted(in_force()) == ["乙五金厂", "甲五金厂"]
    changed = in_force()["乙五金厂"]
    assert changed.supersedes is not None
    assert (changed.reason, changed.supersedes.reason) == ("改了原因", ""), "the former line is kept"
    assert WatchlistEntry.objects.count() == 4
    assert not WatchlistPiece.objects.exclude(entry__ended_at=None).exists()


@pytest.mark.parametrize("lines", [("甲五金厂,,,1,,", ",,,2,,"), ()])
def test_a_file_not_read_whole_ends_nothing(send, lines):
    send("甲五金厂,,,1,,", "乙五金厂,,,2,,")
    send(*(lines or ("甲五金厂,,,1,,",)), whole=bool(lines))
    assert sorted(in_force()) == ["乙五金厂", "甲五金厂"]


def test_a_list_that_is_added_to_ends_nothing(send, actor, watchlist):
    send("甲五金厂,,,1,,")
    watchlists.update_watchlist(actor=actor("zhou"), watchlist_id=watchlist.pk, is_complete=False)
    send("乙五金厂,,,2,,")
    assert sorted(in_force()) == ["乙五金厂", "甲五金厂"]


def test_only_keepers_send_files_of_a_list_and_only_to_it(actor, watchlist):
    content = f"{HEADINGS}甲五金厂,,,1,,\n".encode()
    for name in ("sun", "he"):
        with pytest.raises(PermissionRefused):
            watchlists.send_list(actor=actor(name), watchlist_id=watchlist.pk, file=content)
    for name in ("lin", "outsider"):
        with pytest.raises(NotFound):
            watchlists.send_list(actor=actor(name), watchlist_id=watchlist.pk, file=content)
        with pytest.raises(NotFound):
            imports.receive_import(actor=actor(name), source_id=watchlist.source_id, layout="watchlist", file=content)
    with pytest.raises(InvalidInput):
        imports.receive_import(
            actor=actor("zhou"), source_id=watchlist.source_id, layout="sales_invoices", file=content
        )


# --- who is found

FIRM = "宁波鑫达五金制品有限公司"
ALIKE = [
    ("宁波鑫达五金制品有限公司", 100),
    ("寧波鑫達五金製品有限公司", 100),
    ("宁波 鑫达 五金制品（有限公司）", 100),
    ("宁波鑫达五金制品有限责任公司", 100),
    ("宁波新达五金制品有限公司", 90),
    ("Ningbo Xinda Wujin Zhipin", 90),
    ("宁波鑫达五金制品厂有限公司", 94),
]
OTHERS = [
    "宁波鑫达水产有限公司",
    "余姚鑫达五金制品有限公司",
    "宁波鑫源五金制造有限公司",
    "宁波海潮水产有限公司",
    "鑫达",
]


@pytest.mark.parametrize(("name", "score"), ALIKE)
def test_a_firm_called_alike_is_found(send, actor, name, score):
    send(f"{name},,,1,,")
    customer = make_customer(actor("lin"), name=FIRM)
    assert hits() == [(FIRM, name, "name", score)]
    assert int(likeness(FIRM, name)) == score
    assert screen_customer(customer) == [], "a repeated look finds nothing new"


@pytest.mark.parametrize("name", OTHERS)
def test_a_firm_called_otherwise_is_not(send, actor, name):
    send(f"{name},,,1,,")
    make_customer(actor("lin"), name=FIRM)
    assert hits() == []


@pytest.mark.parametrize("name", ["陈建国", "陳建國", "陈 建国", "陈健国", "Chen Jianguo"])
def test_a_person_called_alike_is_found(send, actor, name):
    send(f"{name},,,1,,")
    make_customer(actor("lin"), contact_name="陈建国")
    assert [(found, match) for _who, found, match, _score in hits()] == [(name, "name")]


@pytest.mark.parametrize("name", ["程建国", "陈建", "陈国建", "陈建军"])
def test_a_person_called_otherwise_is_not(send, actor, name):
    send(f"{name},,,1,,")
    make_customer(actor("lin"), contact_name="陈建国")
    assert hits() == []


def test_a_number_finds_whatever_the_name_and_another_number_is_another_person(send, actor):
    send(
        f"改名者,,{resident_id_of(1)},1,,",
        f"林美玉,,{resident_id_of(2)},2,,",
        "林美玉,,,3,,",
        f"旧名公司,{uscc_of(1)},,4,,",
        f"梅林五金制品厂有限公司1,{uscc_of(9)},,5,,",
        f"梅林五金制品有限公司1,{uscc_of(8)},,6,,",
    )
    make_customer(actor("lin"))
    assert sorted(hits()) == sorted(
        [
            ("梅林五金制品有限公司1", "改名者", "identity", 100),
            ("梅林五金制品有限公司1", "林美玉", "name", 100),
            ("梅林五金制品有限公司1", "旧名公司", "uscc", 100),
            ("梅林五金制品有限公司1", "梅林五金制品有限公司1", "name", 100),
        ]
    )
    assert ScreeningHit.objects.filter(entry__name="林美玉").get().entry.reference == "3"


def test_pieces_find_every_name_that_is_alike_enough(send, actor):
    """Against all pairs: of names a few characters apart, none that reaches the score is missed."""
    chance = random.Random(7)

    def name() -> str:
        return "".join(chance.choice("甲乙丙丁鑫达五金") for _place in range(chance.randint(PIECES_FROM, 14)))

    def changed(text: str) -> str:
        for _turn in range(chance.randint(1, 3)):
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice(("", "庚", "达辛")) + text[place + chance.randint(0, 1) :]
        return text

    firms = [name() for _turn in range(60)]
    listed = sorted({changed(firm) for firm in firms for _turn in range(5)} - {""})
    send(*(f"{text},,,{number},," for number, text in enumerate(listed)))
    for number, firm in enumerate(firms):
        make_customer(actor("lin"), 100 + number, name=firm, contact_name="某某人物")
    wanted = {(firm, other) for firm in firms for other in listed if _is_alike(firm, other)}
    assert {(who, other) for who, other, _match, _score in hits()} == wanted
    assert len(wanted) > 50


def _is_alike(one: str, other: str) -> bool:
    short = min(len(one), len(other)) < PIECES_FROM
    return likeness(one, other) >= 88 and (not short or one[:1] == other[:1])


# --- what stops


def test_an_open_hit_stops_and_a_worker_keeps_what_the_refused_look_found(send, actor, monkeypatch):
    sent: list[tuple] = []
    monkeypatch.setattr(screening, "at_once", lambda *call: sent.append(call))
    customer = make_customer(actor("lin"))
    refuse_if_listed(customer, "drawdown")
    send("梅林五金制品有限公司1,,,1,,")
    with pytest.raises(Unmet) as refused:
        refuse_if_listed(customer, "drawdown")
    assert refused.value.facts == {"screening": {"open": 1, "confirmed": 0}}
    assert "失信" not in refused.value.detail, "nobody learns from it which list it is"
    assert sent == [("customers.tasks.screen_customer", customer.pk, "drawdown")]


def test_a_confirmed_hit_stops_a_lead_and_an_open_one_does_not(send, actor):
    send("陈大文,,,1,,")
    open_one = qualified_lead(actor("lin"), name="甲店", contact_name="陈大文")
    other = qualified_lead(actor("lin"), name="乙店铺子", contact_name="陈大文", phone="13900139000")
    assert [name for name, *_rest in hits()] == ["甲店", "乙店铺子"]
    _settled(actor, ScreeningHit.objects.get(lead=other), "confirm")
    with pytest.raises(Unmet):
        leads.convert_lead(actor=actor("lin"), lead_id=other.pk, kind="company", uscc=uscc_of(5))
    leads.convert_lead(actor=actor("lin"), lead_id=open_one.pk, kind="company", uscc=uscc_of(5))
    assert ScreeningHit.objects.get(customer__uscc=uscc_of(5)).state == "open"


# --- who decides


def _settled(actor, hit: ScreeningHit, outcome: str) -> ScreeningHit:
    screening_hits.propose_hit(actor=actor("sun"), screening_hit_id=hit.pk, outcome=outcome, reason="查过")
    decide = screening_hits.clear_hit if outcome == "clear" else screening_hits.confirm_hit
    return decide(actor=actor("he"), screening_hit_id=hit.pk, reason="同意")


@pytest.fixture
def hit(send, actor) -> ScreeningHit:
    send("梅林五金制品有限公司1,,,1,,")
    make_customer(actor("lin"))
    return ScreeningHit.objects.get()


def test_a_second_person_decides(hit, actor):
    call = {"screening_hit_id": hit.pk, "reason": "查过"}
    with pytest.raises(InvalidInput):
        screening_hits.propose_hit(actor=actor("sun"), screening_hit_id=hit.pk, outcome="clear", reason=" ")
    with pytest.raises(PermissionRefused):
        screening_hits.propose_hit(actor=actor("lin"), outcome="clear", **call)
    screening_hits.propose_hit(actor=actor("sun"), outcome="clear", **call)
    with pytest.raises(DutiesConflict):
        screening_hits.clear_hit(actor=actor("sun"), **call)
    with pytest.raises(Unmet):
        screening_hits.confirm_hit(actor=actor("he"), **call)
    with pytest.raises(Unmet):
        refuse_if_listed(hit.customer, "drawdown")
    cleared = screening_hits.clear_hit(actor=actor("he"), **call)
    assert (cleared.state, str(cleared.decided_by)) == ("cleared", "何")
    refuse_if_listed(hit.customer, "drawdown")


def test_who_owns_the_customer_judges_nothing(hit, actor, cast):
    RoleAssignment.objects.create(user=cast.lin, role="risk_reviewer", office=cast.offices.CD, start_date=cast.OPENING)
    with pytest.raises(DutiesConflict):
        screening_hits.propose_hit(actor=actor("lin"), screening_hit_id=hit.pk, outcome="clear", reason="不是")


def test_sent_back_and_opened_again(hit, actor):
    screening_hits.propose_hit(actor=actor("sun"), screening_hit_id=hit.pk, outcome="clear", reason="查过")
    screening_hits.send_back_hit(actor=actor("he"), screening_hit_id=hit.pk, reason="再查")
    _settled(actor, hit, "confirm")
    with pytest.raises(Unmet):
        refuse_if_listed(hit.customer, "drawdown")
    again = screening_hits.reopen_hit(actor=actor("zhou"), screening_hit_id=hit.pk, reason="新证据")
    assert (again.state, again.proposal) == ("open", "")


def test_a_cleared_hit_stays_cleared_until_a_name_changes(hit, actor, send):
    _settled(actor, hit, "clear")
    customer = hit.customer
    customers.update_customer(actor=actor("lin"), customer_id=customer.pk, employees=5)
    send("梅林五金制品有限公司1,,,1,原因变了,")
    screen_book()
    row = ScreeningHit.objects.get()
    assert (row.state, row.entry.reason) == ("cleared", "原因变了"), "the decision goes on with the line"
    customers.update_customer(actor=actor("lin"), customer_id=customer.pk, name="梅林五金制品有限责任公司1")
    assert ScreeningHit.objects.get().state == "open"


# --- the whole book


def test_a_night_finds_what_is_new_on_either_side_and_nothing_twice(send, actor):
    for number, name in enumerate(("甲鑫达五金厂", "乙鑫达五金厂", "丙鑫达五金厂")):
        make_customer(actor("lin"), 20 + number, name=name, contact_name="某某人物")
    make_lead(actor("lin"), name="丁鑫达五金厂", contact_name="别的人物")
    assert screen_book(only_if_due=False) is True, "the first run compares everybody"
    assert screen_book() is False, "nothing is due"
    send("甲鑫达五金厂,,,1,,", "丁鑫达五金厂,,,2,,")
    assert screen_book() is True
    assert {name for name, *_rest in hits()} == {"甲鑫达五金厂", "丁鑫达五金厂"}
    run = ScreeningRun.objects.latest("pk")
    assert (run.is_full, run.entry_count, run.subject_count, run.hit_count) == (False, 2, 4, 2)
    assert screen_book(only_if_due=False) is True
    assert len(hits()) == 2


def test_nights_add_up_to_a_whole_run(send, actor):
    names = [f"{place}鑫达五金{kind}" for place in ("宁波", "余姚", "慈溪") for kind in ("制品厂", "机械厂")]
    for turn, name in enumerate(names):
        make_customer(actor("lin"), 40 + turn, name=name, contact_name="某某人物")
        send(*(f"{listed}一,,,{number},," for number, listed in enumerate(names[: turn + 1])))
        screen_book()
    nightly = set(hits())
    ScreeningHit.objects.all().delete()
    ScreeningRun.objects.update(lowest_score=99)
    screen_book(only_if_due=False)
    assert ScreeningRun.objects.latest("pk").is_full
    assert set(hits()) == nightly != set()


def test_a_killed_run_goes_on_where_it_stood(send, actor, monkeypatch):
    monkeypatch.setattr(screening_runs, "SUBJECTS_AT_ONCE", 2)
    for number in range(5):
        make_customer(actor("lin"), 60 + number, name=f"梅林五金制品{number}号", contact_name="某某人物")
    send(*(f"梅林五金制品{number}号,,,{number},," for number in range(5)))
    run = screening_runs.start_screening()
    assert run is not None
    assert screening_runs.screen_part(run_id=run.pk, stage="customer", after_id=0)
    assert not screening_runs.screen_part(run_id=run.pk, stage="customer", after_id=0), "done already"
    assert len({name for name, *_rest in hits()}) == 2
    assert screening_runs.start_screening() == run, "there is one run at a time"
    assert screening_runs.run_screening(run.pk)
    assert len({name for name, *_rest in hits()}) == 5


def test_owner_and_reviewers_are_told_once_however_many_there_are(send, actor, cast):
    for number in range(3):
        make_customer(actor("lin"), 70 + number, name=f"梅林五金制品{number}号", contact_name="某某人物")
    send(*(f"梅林五金制品{number}号,,,{number},," for number in range(3)))
    screen_book()
    for message in outbox.waiting():
        outbox.deliver(message)
    for person in (cast.lin, cast.sun):
        assert person.notifications.filter(kind="screening.found").count() == 1
    assert Customer.objects.filter(screened_at=None).count() == 0


def test_a_lead_called_otherwise_is_looked_up_again(send, actor):
    send("陈大文,,,1,,")
    lead = make_lead(actor("lin"), name="甲店", contact_name="王小二")
    assert hits() == []
    leads.update_lead(actor=actor("lin"), lead_id=lead.pk, contact_name="陈大文")
    assert hits() == [("甲店", "陈大文", "name", 100)]


def test_only_what_is_compared_has_a_customer_compared_anew(actor):
    customer = make_customer(actor("lin"))
    first = Customer.objects.get().screened_at
    assert first is not None

    customers.update_customer(actor=actor("lin"), customer_id=customer.pk, employees=38)
    assert Customer.objects.get().screened_at == first

    changes: tuple[dict[str, Any], ...] = ({"uscc": uscc_of(2)}, {"name": "别家五金"}, {"contact_name": "陈国强"})
    for change in changes:
        customers.update_customer(actor=actor("lin"), customer_id=customer.pk, **change)
        latest = Customer.objects.get().screened_at
        assert latest is not None
        assert latest > first
        first = latest
