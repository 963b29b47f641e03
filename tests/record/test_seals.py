"""A removed, changed or inserted event is found and named, whoever did it and however."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from branch.domain.refusals import Unmet
from branch.domain.sealing import GENESIS, SEALED_COLUMNS, head_after, pairs_of
from branch.models import BusinessDay, Event, Seal
from branch.queries.seals import pairs_between, verify
from branch.services.seals import export_head, seal_day
from tests.cast import OPENING
from tests.record.conftest import close_today, sql, write_events

EVENT_COPY = (
    "INSERT INTO branch_event (id, business_date, at, name, subject_type, subject_id, subject_label, actor_name, "
    "office_path, file_key, before, after, reason, request_id) SELECT %s, %s, at, name, subject_type, subject_id, "
    "subject_label, actor_name, office_path, file_key, before, after, reason, request_id FROM branch_event "
    "WHERE id = %s"
)


def kinds(findings) -> set[str]:
    return {finding.kind for finding in findings}


def named(findings) -> list[int]:
    return [pk for finding in findings for pk in finding.event_ids]


def test_an_untouched_record_has_no_findings(sealed, head_file) -> None:
    assert verify() == []
    call_command("verify_events", head=head_file())


def test_sealing_twice_changes_nothing(sealed) -> None:
    before = list(Seal.objects.values())
    seal_day(sealed.last)
    assert list(Seal.objects.values()) == before


def test_an_open_day_is_not_sealed(cast) -> None:
    with pytest.raises(Unmet):
        seal_day(OPENING)
    assert not Seal.objects.exists()


def test_days_left_unsealed_are_sealed_first(cast) -> None:
    for _ in range(3):
        write_events(cast.offices.CD, 1)
        close_today()
    seal_day(OPENING + timedelta(days=2))
    assert Seal.objects.count() == 3
    assert verify() == []


def test_the_chain_is_what_its_description_says(sealed) -> None:
    """Recomputed from the description in branch/domain/sealing.py, not with its code."""
    head = GENESIS
    for seal in Seal.objects.order_by("business_date"):
        pairs = bytes(seal.row_digests)
        assert seal.digest == hashlib.sha256(pairs).hexdigest()
        text = f"xiaowei-record-1\n{head}\n{seal.business_date}\n{seal.event_count}\n{seal.digest}"
        head = hashlib.sha256(text.encode()).hexdigest()
        assert (seal.head, seal.event_count, len(pairs)) == (head, 4, 4 * 40)
        assert [int.from_bytes(pairs[n : n + 8], "big") for n in range(0, 160, 40)] == sealed.days[seal.business_date]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "office.forged"),
        ("subject_label", "forged"),
        ("actor_id", 999),
        ("actor_name", "forged"),
        ("office_path", "/9/"),
        ("customer_id", 999),
        ("before", '{"n": 7}'),
        ("after", '{"n": 0, "amount": "1.11"}'),
        ("reason", "forged"),
        ("request_id", "forged"),
        ("at", "2020-01-01T00:00:00Z"),
        ("file_key", "9"),
        ("subject_type", "loan"),
        ("subject_id", "9"),
        ("office_id", 999),
    ],
)
def test_a_changed_event_is_named_whichever_column_it_was(sealed, column, value) -> None:
    victim = sealed.days[sealed.first][1]
    sql(f"UPDATE branch_event SET {column} = %s WHERE id = %s", value, victim)

    findings = verify()

    assert kinds(findings) == {"event-changed"}
    assert named(findings) == [victim]
    assert findings[0].business_date == sealed.first


def test_every_column_is_under_seal() -> None:
    assert set(SEALED_COLUMNS) == {field.attname for field in Event._meta.concrete_fields}


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_removed_event_is_named_the_last_of_the_day_too(sealed, place) -> None:
    victim = sealed.days[sealed.last][place]
    sql("DELETE FROM branch_event WHERE id = %s", victim)

    findings = verify()

    assert kinds(findings) == {"event-removed"}
    assert named(findings) == [victim]


def test_an_inserted_event_is_named(sealed) -> None:
    sql(EVENT_COPY, 900_001, sealed.first, sealed.days[sealed.first][0])

    findings = verify()

    assert kinds(findings) == {"event-inserted"}
    assert named(findings) == [900_001]


def test_an_event_moved_to_another_day_is_found(sealed) -> None:
    victim = sealed.days[sealed.last][0]
    sql("UPDATE branch_event SET business_date = %s WHERE id = %s", sealed.first, victim)
    assert kinds(verify()) == {"event-inserted", "event-removed"}


def test_a_change_with_its_seal_made_to_fit_breaks_the_chain(sealed) -> None:
    """The row, its digest, the day's digest and head are all rewritten: the next day still knows the old head."""
    victim = sealed.days[sealed.first][1]
    sql("UPDATE branch_event SET reason = 'forged' WHERE id = %s", victim)
    rewrite(sealed.first, GENESIS)

    findings = verify()

    assert kinds(findings) == {"chain-broken"}


def rewrite(day, previous: str) -> str:
    pairs = pairs_between(day - timedelta(days=1), day)
    digest = hashlib.sha256(pairs).hexdigest()
    head = head_after(previous, day, len(pairs) // 40, digest)
    sql(
        "UPDATE branch_seal SET row_digests = %s, digest = %s, head = %s, previous_head = %s, event_count = %s "
        "WHERE business_date = %s",
        pairs, digest, head, previous, len(pairs) // 40, day,
    )  # fmt: skip
    return head


def test_a_chain_rewritten_to_its_end_is_found_against_an_exported_head(sealed, head_file) -> None:
    kept = head_file()
    sql("UPDATE branch_event SET reason = 'forged' WHERE id = %s", sealed.days[sealed.first][1])
    head = GENESIS
    for day in sorted(sealed.days):
        head = rewrite(day, head)
    assert verify() == []

    with pytest.raises(CommandError) as refused:
        call_command("verify_events", head=kept)

    assert refused.value.returncode == 1


@pytest.mark.parametrize("column", ["digest", "head", "previous_head"])
def test_a_changed_seal_is_found(sealed, column) -> None:
    sql(f"UPDATE branch_seal SET {column} = %s WHERE business_date = %s", "f" * 64, sealed.first)
    assert kinds(verify()) & {"seal-changed", "chain-broken"}


def test_a_seal_whose_row_digests_were_changed_is_found(sealed) -> None:
    sql("UPDATE branch_seal SET row_digests = %s WHERE business_date = %s", b"\x00" * 160, sealed.first)
    assert kinds(verify()) == {"seal-changed"}


def test_a_removed_seal_in_the_middle_is_found(sealed) -> None:
    middle = sealed.first + timedelta(days=1)
    sql("DELETE FROM branch_seal WHERE business_date = %s", middle)
    assert kinds(verify()) == {"chain-broken", "seal-missing"}


def test_the_last_sealed_day_removed_whole_is_found_against_the_exported_head(sealed, head_file) -> None:
    kept = head_file()
    for table in ("branch_seal", "branch_event"):
        sql(f"DELETE FROM {table} WHERE business_date >= %s", sealed.last)
    sql("DELETE FROM branch_businessday WHERE date > %s", sealed.last)
    sql("UPDATE branch_businessday SET state = 'open' WHERE date = %s", sealed.last)
    assert verify() == []  # what is left is whole in itself

    with pytest.raises(CommandError):
        call_command("verify_events", head=kept)
    with pytest.raises(CommandError):
        call_command("verify_events", head=json.loads(Path(kept).read_text())["head"])


def test_a_closed_day_whose_seal_was_removed_is_found_without_a_head(sealed) -> None:
    sql("DELETE FROM branch_seal WHERE business_date = %s", sealed.last)
    assert kinds(verify()) == {"seal-missing"}


@pytest.mark.parametrize(
    "tamper",
    [
        lambda sealed: sql("UPDATE branch_event SET reason = 'forged' WHERE id = %s", sealed.open_ids[0]),
        lambda sealed: sql("DELETE FROM branch_event WHERE id = %s", sealed.open_ids[-1]),
        lambda sealed: sql(EVENT_COPY, -5, sealed.last + timedelta(days=1), sealed.open_ids[0]),
    ],
    ids=["changed", "removed", "inserted"],
)
def test_the_open_day_is_proven_against_the_exported_head(sealed, head_file, tamper) -> None:
    kept = head_file()
    assert tamper(sealed) == 1

    with pytest.raises(CommandError):
        call_command("verify_events", head=kept)


def test_an_exported_head_stays_good_while_the_record_grows(cast, sealed, head_file) -> None:
    kept = head_file()
    write_events(cast.offices.CD, 3)
    seal_day(close_today())
    write_events(cast.offices.CD, 1)

    call_command("verify_events", head=kept)


def test_an_exported_head_of_an_open_day_names_it_even_after_it_was_sealed(cast, sealed, head_file) -> None:
    kept = head_file()
    sql("DELETE FROM branch_event WHERE id = %s", sealed.open_ids[0])
    seal_day(close_today())
    assert verify() == []

    with pytest.raises(CommandError):
        call_command("verify_events", head=kept)


def test_a_bank_before_its_first_seal_has_a_head_too(cast, head_file) -> None:
    ids = write_events(cast.offices.CD, 2)
    kept = head_file()
    assert export_head().head == GENESIS
    call_command("verify_events", head=kept)

    sql("DELETE FROM branch_event WHERE id = %s", ids[0])
    with pytest.raises(CommandError):
        call_command("verify_events", head=kept)


def test_an_unreadable_head_is_said_to_be_one(cast, tmp_path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"head": 1}')
    with pytest.raises(CommandError, match="not a head"):
        call_command("verify_events", head=str(broken))
    with pytest.raises(CommandError, match="can't be read"):
        call_command("verify_events", head=str(tmp_path / "nothing"))


def test_the_findings_name_the_day_and_the_event(sealed, capsys) -> None:
    victim = sealed.days[sealed.first][2]
    sql("DELETE FROM branch_event WHERE id = %s", victim)

    with pytest.raises(CommandError):
        call_command("verify_events")

    assert f"{sealed.first}: event {victim} was removed" in capsys.readouterr().err


def test_canonical_form_tells_nothing_apart_that_the_database_holds_alike(sealed) -> None:
    """Key order in JSON and the session's time zone must not matter."""
    row = Event.objects.order_by("id").values()[0]
    turned = row | {"after": dict(reversed(row["after"].items())), "at": row["at"].astimezone()}
    assert pairs_of([row]) == pairs_of([turned])


def test_a_seal_covers_events_that_fell_between_business_days(cast) -> None:
    """Events of a date on which the bank had no business day belong to the seal of the next one."""
    ids = write_events(cast.offices.CD, 1)
    sql("UPDATE branch_event SET business_date = %s WHERE id = %s", OPENING - timedelta(days=3), ids[0])
    day = close_today()

    assert seal_day(day).event_count == 1
    assert BusinessDay.objects.filter(date__lt=day).count() == 0
