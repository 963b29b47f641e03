from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from branch.queries.seals import head_as_data
from branch.services.seals import export_head


class Command(BaseCommand):
    help = "Print the head of the sealed record as JSON, to be kept where this program's administrators can't write."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(head_as_data(export_head())))
