from __future__ import annotations

import os
from datetime import date
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from branch.domain.actor import system_actor
from branch.domain.refusals import Refusal
from branch.domain.roles import Role
from branch.services.business_day import open_first_day
from branch.services.offices import open_head_office
from branch.services.staff import assign_role, create_user

PASSWORD_VARIABLE = "ADMINISTRATOR_PASSWORD"


class Command(BaseCommand):
    help = (
        "Set up a new bank: its head office, its first administrator and its first business day. The password is asked "
        f"for, or taken from {PASSWORD_VARIABLE}. Everything after this is done by that person on the pages."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--office-code", required=True)
        parser.add_argument("--office-name", required=True)
        parser.add_argument("--username", required=True)
        parser.add_argument("--display-name", required=True)
        parser.add_argument(
            "--first-day", type=date.fromisoformat, help="first business day, YYYY-MM-DD; default today"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get(PASSWORD_VARIABLE) or _asked_for()
        day = options["first_day"] or timezone.localdate()
        system = system_actor()
        try:
            with transaction.atomic():
                open_first_day(actor=system, date=day)
                office = open_head_office(actor=system, code=options["office_code"], name=options["office_name"])
                person = create_user(
                    actor=system,
                    username=options["username"],
                    display_name=options["display_name"],
                    office_id=office.pk,
                    password=password,
                )
                assign_role(
                    actor=system,
                    user_id=person.pk,
                    role=Role.ADMINISTRATOR.value,
                    office_id=office.pk,
                    start_date=day,
                    reason="first administrator",
                )
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(
            f"{office} opens on {day}. {person.username} administers it, and needs a second administrator to be given "
            "any other role: nobody gives a role to themselves."
        )


def _asked_for() -> str:
    password = getpass("Password of the administrator: ")
    if password != getpass("Again: "):
        raise CommandError("The two passwords differ.")
    return password
