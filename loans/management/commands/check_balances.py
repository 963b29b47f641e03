"""`manage.py check_balances`: lists every stored amount that is not the sum of its parts; exit 1 when there is one."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from branch.domain.money import format_money
from loans.models import JournalEntry, Loan
from loans.services.balances import disagreements


class Command(BaseCommand):
    help = "Compares balances, schedules, entries and postings of the whole portfolio; exit 1 where a row disagrees."

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(disagreements())
        for row in found:
            stored, expected = format_money(row.stored), format_money(row.expected)
            self.stdout.write(f"{row.where}: {row.what} is {stored}, its parts sum to {expected}")
        if found:
            self.stderr.write(f"{len(found)} rows disagree.")
            sys.exit(1)
        self.stdout.write(f"{Loan.objects.count()} loans and {JournalEntry.objects.count()} journal entries agree.")
