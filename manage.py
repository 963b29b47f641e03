#!/usr/bin/env python
"""Run a management command. Migrations run as the database role that owns the tables."""

import os
import sys

#: Commands that change tables; everything else runs as the `app` role, which may not.
OWNER_COMMANDS = {"migrate", "flush", "sqlmigrate"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] and sys.argv[1] in OWNER_COMMANDS:
        os.environ["XIAOWEI_DB_ROLE"] = "owner"
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
