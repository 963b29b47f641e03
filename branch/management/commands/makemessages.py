from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """Django's own, which also takes what parameters mean and accounts are called, and only the program's texts."""

    NOT_THE_PROGRAM = ("node_modules", "var", "staticfiles", "tests", "bin")
    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=Parameter:4", "--keyword=Account:2"]

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(no_wrap=True, add_location="file")

    def handle(self, *args: Any, **options: Any) -> None:
        options["ignore_patterns"] = [*options["ignore_patterns"], *self.NOT_THE_PROGRAM]
        super().handle(*args, **options)
