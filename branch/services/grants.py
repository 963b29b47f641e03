"""What the application's database role may do. Run as the owner after every migration."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, transaction
from psycopg2 import sql


def append_only_tables() -> list[str]:
    """Tables whose rows the application may add and read, never change or remove."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if getattr(model, "APPEND_ONLY", False) and model._meta.managed is not None
    )


def grant_app_role(sender: Any = None, using: str = "default", **kwargs: Any) -> None:
    """Give the app role its rights; skipped where the connection is itself the app role or it owns everything.

    Raises ProgrammingError where the role does not exist: the server's administrator creates it.
    """
    connection = connections[using]
    role = settings.DATABASE_APP_ROLE
    if connection.settings_dict["USER"] == role:
        return
    who = sql.Identifier(role)
    # In one transaction: between the grant on all tables and the revokes nobody may slip through.
    with transaction.atomic(using=using), connection.cursor() as cursor:
        raw = cursor.cursor.cursor if hasattr(cursor.cursor, "cursor") else cursor.cursor
        tables = set(connection.introspection.table_names(cursor))

        def run(statement: str, *names: sql.Composable) -> None:
            cursor.execute(sql.SQL(statement).format(*names).as_string(raw))

        run("GRANT USAGE ON SCHEMA public TO {}", who)
        run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}", who)
        run("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}", who)
        for name in append_only_tables():
            if name in tables:
                run("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}", sql.Identifier(name), who)
                # A partition is reachable by its own name: it gets no more than the table it belongs to.
                cursor.execute(
                    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [name]
                )
                for (partition,) in cursor.fetchall():
                    run("REVOKE ALL ON {} FROM {}", sql.Identifier(partition.strip('"')), who)
