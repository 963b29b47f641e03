"""Take a file of outside facts in, here and now, and say what became of it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from stdnum.cn import uscc

from branch.domain.refusals import Refusal
from branch.models import User
from branch.queries.actors import actor_for
from branch.services.file_store import path_of
from customers.domain.layouts import FIRM
from customers.models import Customer, FirmCode, RecordImport, RecordSource
from customers.queries.imports import count_words, report_lines
from customers.services import customers, imports
from customers.services.intake.reading import Form, values_of


class Command(BaseCommand):
    help = "Import a CSV or Excel file of a source as a person, without a worker, and print what became of its rows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, help="code of the record source")
        parser.add_argument("--layout", required=True, choices=RecordImport.Layout.values)
        parser.add_argument("--as", dest="username", required=True, help="whose rights the file comes in with")
        parser.add_argument("--report", type=Path, help="write the findings to this CSV file")
        parser.add_argument(
            "--invent-customers",
            metavar="OWNER",
            help="for trials: make a customer of this account manager for every firm code not known yet",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source = RecordSource.objects.filter(code=options["source"]).first()
        if source is None:
            raise CommandError(f"There is no record source {options['source']}.")
        try:
            with options["file"].open("rb") as file:
                kept = imports.receive_import(
                    actor=self.person(options["username"]), source_id=source.pk, layout=options["layout"], file=file
                )
            mapping = imports.suggested_for(kept)
            if owner := options["invent_customers"]:
                self.invent(kept, mapping, owner)
            imports.start_import(actor=self.person(options["username"]), record_import_id=kept.pk, mapping=mapping)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        imports.run_import(kept.pk)
        done = RecordImport.objects.get(pk=kept.pk)
        self.stdout.write(f"import {done.pk}: {done.state} {done.refusal}".strip())
        for word, number, _code in count_words(done):
            self.stdout.write(f"{number:>10}  {word}")
        if options["report"]:
            with options["report"].open("w", encoding="utf-8-sig", newline="") as out:
                csv.writer(out).writerows(report_lines(done))

    def person(self, username: str) -> Any:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no person {username}.")
        return actor_for(user)

    def invent(self, kept: RecordImport, mapping: dict[str, str], owner: str) -> None:
        """A customer with a made-up code for each firm of the file that nobody knows; never where real ones live."""
        if settings.PRODUCTION:
            raise CommandError("Customers are not invented in production.")
        if not mapping.get(FIRM):
            raise CommandError("The file has no column that names the firm.")
        form = Form(**kept.form)
        codes = sorted(values_of(path_of(kept.storage_name), form, form.headings.index(mapping[FIRM])))
        known = set(FirmCode.objects.filter(source=kept.source).values_list("code", flat=True))
        number = Customer.objects.count()
        for code in codes:
            if code in known or Customer.objects.filter(uscc=code.upper()).exists():
                continue
            number += 1
            body = f"91330299MA{number:07d}"
            made = customers.create_customer(
                actor=self.person(owner),
                kind="company",
                name=f"试用企业 {code}",
                uscc=body + uscc.calc_check_digit(body),
                contact_name="试用",
            )
            FirmCode.objects.create(source=kept.source, code=code, customer=made)
