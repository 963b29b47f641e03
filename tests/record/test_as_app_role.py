"""What the application's own database role can't do, and that its work gets done all the same."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.db import ProgrammingError, connection, transaction

from branch.models import Attachment, Event, Notification, OutboxMessage
from branch.queries.notifications import NOTICES
from branch.queries.seals import verify
from branch.services.attachments import attach
from branch.services.grants import append_only_tables
from branch.services.notifications import mark_read, notify
from branch.services.outbox import deliver
from branch.services.parameters import set_parameter
from branch.services.seals import export_head, seal_day
from customers.models import Customer
from tests.cast import OPENING
from tests.record.conftest import as_app_role, close_today, sql, write_events

pytestmark = pytest.mark.django_db(transaction=True)


def protected() -> list[str]:
    """Every append-only table and every partition of one."""
    tables = append_only_tables()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "JOIN pg_class p ON p.oid = i.inhparent WHERE p.relname = ANY(%s)",
            [tables],
        )
        return sorted(tables + [row[0] for row in cursor.fetchall()])


def test_the_tables_of_the_record_are_among_the_protected() -> None:
    named = protected()
    assert {"branch_event", "branch_seal", "branch_event_default", "branch_event_2026_11", "branch_fileduty"} <= set(
        named
    )


def test_the_application_can_neither_change_nor_remove_nor_empty_nor_drop_what_is_append_only() -> None:
    names = protected()
    columns = {name: first_column(name) for name in names}
    with as_app_role():
        for name in names:
            for statement in (
                f'UPDATE "{name}" SET "{columns[name]}" = "{columns[name]}" WHERE false',
                f'DELETE FROM "{name}" WHERE false',
                f'TRUNCATE "{name}"',
                f'DROP TABLE "{name}"',
                f'ALTER TABLE "{name}" ADD COLUMN x int',
                f'CREATE TRIGGER t BEFORE INSERT ON "{name}" EXECUTE FUNCTION suppress_redundant_updates_trigger()',
            ):
                refused(statement)


def first_column(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [f'"{table}"'])
        return cursor.fetchone()[0]


def refused(statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner|does not exist"), transaction.atomic():
        sql(statement)


def test_the_application_can_not_become_the_owner_or_give_itself_rights(settings) -> None:
    owner = connection.settings_dict["USER"]
    with as_app_role():
        refused(f'SET ROLE "{owner}"')
        with suppress(ProgrammingError), transaction.atomic():
            sql(f'GRANT UPDATE ON branch_event TO "{settings.DATABASE_APP_ROLE}"')
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, has_table_privilege('branch_event', 'UPDATE')")
            assert cursor.fetchone() == (settings.DATABASE_APP_ROLE, False)


def test_a_partition_can_not_be_written_to_past_its_table() -> None:
    with as_app_role():
        refused("INSERT INTO branch_event_default SELECT * FROM branch_event WHERE false")
        refused("SELECT 1 FROM branch_event_default")


def test_the_days_work_is_done_as_the_application(cast, settings, tmp_path, monkeypatch) -> None:
    """Given the application's role, events, files, parameters, notices, delivery, seals and heads all work."""
    settings.FILES_DIR = str(tmp_path)
    with as_app_role():
        customer = Customer.objects.create(
            office=cast.offices.HW, owner=cast.lin, kind="company", name="鑫达五金", contact_name="陈"
        )
        attach(actor=cast.actor("lin"), subject=customer, kind="x", title="t", upload=b"%PDF-1.7\n")
        set_parameter(
            actor=cast.actor("zhou"), code="offer.validity_days", value=60, effective_date=OPENING, reason="r"
        )
        monkeypatch.setitem(NOTICES, "test.notice", "Number %(number)s")
        notice = notify(cast.lin.pk, "test.notice", "/", number="7")
        mark_read(actor=cast.actor("lin"), notification_id=notice.pk)
        assert all(deliver(pk) for pk in OutboxMessage.objects.values_list("pk", flat=True))
        write_events(cast.offices.CD, 1)
        seal_day(close_today())
        assert export_head().last_id
        assert verify() == []
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone()[0] == settings.DATABASE_APP_ROLE
    assert Attachment.objects.count() == Notification.objects.count() == 1
    assert Event.objects.filter(name="attachment.add").exists()
