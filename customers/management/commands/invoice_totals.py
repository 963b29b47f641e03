"""Totals of VAT invoices per firm as CSV, to be held against figures worked out elsewhere."""

from __future__ import annotations

import csv
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from branch.domain.actor import system_actor
from customers.models import RecordSource
from customers.queries.invoices import TOTALS, firm_totals


class Command(BaseCommand):
    help = "Print count, amount, tax and total of valid, negative, void and net invoices per firm and direction."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", required=True, help="code of the record source")
        parser.add_argument(
            "--rule", choices=RecordSource.IdenticalRows.values, default="", help="default: the source's"
        )

    def handle(self, *args: Any, source: str, rule: str, **options: Any) -> None:
        found = RecordSource.objects.filter(code=source).first()
        if found is None:
            raise CommandError(f"There is no record source {source}.")
        writer = csv.DictWriter(self.stdout, TOTALS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(firm_totals(system_actor(), found, rule))
