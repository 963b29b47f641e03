"""`manage.py bench_money`: the money's work against a bare yardstick, in one run; exit 1 above a limit."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from postloan.bench.money import MEASUREMENTS


class Command(BaseCommand):
    help = "Measures accrual and its like against the barest thing that does as much, in a database of its own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "names", nargs="*", metavar="name", help=f"which of {', '.join(MEASUREMENTS)}; all by default"
        )
        parser.add_argument("--size", type=int, default=100_000, help="loans in the portfolio")
        parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the best counts")

    def handle(self, *args: Any, **options: Any) -> None:
        names = options["names"] or list(MEASUREMENTS)
        if unknown := set(names) - set(MEASUREMENTS):
            self.stderr.write(f"There is no measurement {', '.join(sorted(unknown))}.")
            sys.exit(2)
        over = False
        for name in names:
            measurement = MEASUREMENTS[name]
            result = measurement.run(options["size"], options["rounds"])
            over |= result.ratio > measurement.limit
            self.stdout.write(
                f"{name}: {measurement.what} {result.ours:.2f} s, {measurement.yardstick} {result.yardstick:.2f} s: "
                f"ratio {result.ratio:.2f}, at most {measurement.limit:.2f}"
            )
        if over:
            sys.exit(1)
