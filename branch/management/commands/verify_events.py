from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from branch.models import Event, Seal
from branch.queries.seals import ExportedHead, Finding, head_from_data, verify


class Command(BaseCommand):
    help = (
        "Check the event log against its seals: finds events removed, changed or inserted. With an exported head "
        "it also finds the last sealed day removed as a whole, and events of the open day. Exit code 1 on findings."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--head", metavar="FILE|HEX", help="a file export_head wrote, or the 64 digits of a head")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = verify(_exported(options["head"]) if options["head"] else None)
        for finding in findings:
            self.stderr.write(_line(finding))
        if findings:
            raise CommandError(f"The record was tampered with: {len(findings)} findings.", returncode=1)
        unsealed = "" if options["head"] else " Without --head the last sealed day and the open day are not proven."
        self.stdout.write(
            f"The record is as it was sealed: {Seal.objects.count()} days, {Event.objects.count()} events.{unsealed}"
        )


def _line(finding: Finding) -> str:
    day = finding.business_date.isoformat() if finding.business_date else "open day"
    return f"{day}: {finding.text} ({finding.kind})"


def _exported(given: str) -> ExportedHead:
    if re.fullmatch(r"[0-9a-f]{64}", given):
        return ExportedHead(head=given)
    try:
        return head_from_data(json.loads(Path(given).read_text()))
    except OSError as error:
        raise CommandError(f"{given} can't be read: {error.strerror}.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError(f"{given} is not a head that export_head wrote.") from error
