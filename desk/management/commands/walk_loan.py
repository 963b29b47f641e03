"""Walk one loan from lead to settlement over HTTP, each step as the right demo person; exit 1 at the first surprise."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from desk.walk.client import Api
from desk.walk.life import LoanLife
from desk.walk.walker import Walker, WalkFailed


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--base-url", required=True, help="Where the program answers, such as http://127.0.0.1:8000"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        walker = Walker(Api(options["base_url"]), self.stdout.write)
        begun = time.monotonic()
        try:
            LoanLife(walker).walk()
        except (WalkFailed, AssertionError, PermissionError) as failure:
            raise CommandError(str(failure)) from failure
        except OSError as failure:
            raise CommandError(f"Nobody answers at {options['base_url']}: {failure}") from failure
        self.stdout.write(
            f"{walker.steps} steps taken, {walker.refusals} refusals as they must be, {time.monotonic() - begun:.1f} s"
        )
