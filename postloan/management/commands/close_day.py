"""Close the business day from the command line."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from branch.domain.actor import system_actor
from branch.domain.refusals import Refusal
from branch.queries.business_date import business_date
from postloan.models import SweepRun, SweepShard
from postloan.services.close import close_business_day
from postloan.services.sweep import run_sweep_inline


class Command(BaseCommand):
    help = "Close the business day: interest, classes, warnings, inspections, and the date moves on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--date", type=date.fromisoformat, help="the business date to close (default: the open one)"
        )
        parser.add_argument("--wait", action="store_true", help="wait until the workers are done")
        parser.add_argument("--inline", action="store_true", help="do the work in this process, without workers")
        parser.add_argument("--timeout", type=float, default=3600, help="seconds to wait at most")

    def handle(self, *args: Any, **options: Any) -> None:
        day = options["date"] or business_date()
        try:
            run = close_business_day(actor=system_actor(), date=day)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        if options["inline"]:
            run = run_sweep_inline(run.pk)
        elif options["wait"]:
            run = self.wait(run, options["timeout"])
        self.report(run)

    def wait(self, run: SweepRun, timeout: float) -> SweepRun:
        ends = time.monotonic() + timeout
        while run.state != SweepRun.State.DONE:
            if time.monotonic() > ends:
                raise CommandError(f"{run} is not done after {timeout:.0f} s; see its page for what is open")
            time.sleep(0.5)
            run.refresh_from_db()
        return run

    def report(self, run: SweepRun) -> None:
        self.stdout.write(f"{run.business_date} {run.get_state_display()}")
        for row in SweepShard.objects.filter(run=run):
            rows = "" if row.row_count is None else f"{row.row_count} rows"
            aside = f", {len(row.set_aside)} set aside" if row.set_aside else ""
            self.stdout.write(
                f"  {row.step}/{row.shard} {row.get_state_display()} {rows}{aside} {row.last_error}".rstrip()
            )
