"""How long the customers' list and page take on a bank of full size, against the empty shell in the same run."""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from branch.bench.database import scratch_database
from customers.models import Customer
from desk.bench.customers import make_bank

MOST = 3.0
SHELL = "/bench-shell/"


class Command(BaseCommand):
    help = "Measure the list and the page of customers against the shell with one trivial query, in a scratch database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=1_000_000)
        parser.add_argument("--records", type=int, default=20_000_000)
        parser.add_argument("--rounds", type=int, default=15, help="times each page is asked for; the median counts")

    def handle(self, *args: Any, customers: int, records: int, rounds: int, **options: Any) -> None:
        hosts = override_settings(ROOT_URLCONF="desk.bench.urls", ALLOWED_HOSTS=["*"], DEBUG=False)
        with scratch_database(), hosts:
            began = time.perf_counter()
            user = make_bank(customers, records)
            took = time.perf_counter() - began
            self.stdout.write(f"{customers} customers, {records} records, made in {took:.0f} s")
            client = Client()
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            over = self.measure(client, rounds)
        if over:
            sys.exit(1)

    def measure(self, client: Client, rounds: int) -> bool:
        middle = Customer.objects.order_by("pk")[Customer.objects.count() // 2]
        pages = {
            "list": "/customers/",
            "list, two characters": "/customers/?q=五金",
            "list, four characters": "/customers/?q=鑫达五金",
            "list, a whole code": f"/customers/?q={middle.uscc}",
            "list, by name": "/customers/?sort=name",
            "list, by sales, largest first": "/customers/?sort=-annual_sales",
            "list, filtered by kind and sales": "/customers/?kind=company&annual_sales__gte=9900000",
            "list, two characters by sales": "/customers/?q=水产&sort=-annual_sales",
            "page of one customer": f"/customers/{middle.pk}/",
        }
        floor, over = self.seconds(client, SHELL, rounds), False
        self.stdout.write(f"{'shell with one query':<36} {floor * 1000:7.1f} ms")
        for name, address in pages.items():
            taken = self.seconds(client, address, rounds)
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            over |= taken / floor > MOST
            self.stdout.write(
                f"{name:<36} {taken * 1000:7.1f} ms, {len(queries):3d} queries, "
                f"ratio {taken / floor:.2f} (at most {MOST:.0f})"
            )
        return over

    def seconds(self, client: Client, address: str, rounds: int) -> float:
        """The median of `rounds`, after one that fills caches."""
        times = []
        for _round in range(rounds + 1):
            began = time.perf_counter()
            answer = client.get(address)
            times.append(time.perf_counter() - began)
            if answer.status_code != 200:
                raise RuntimeError(f"{address} answers {answer.status_code}")
        return statistics.median(times[1:])
