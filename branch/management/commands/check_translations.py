from __future__ import annotations

import gettext
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test.utils import override_settings
from django.utils.translation import to_locale

from branch.catalogue import compiled, faults, pairs, parse

NO_TOOLS = (
    "The gettext tools (xgettext) are not on this machine, so the code was not searched for texts that the catalogue "
    "lacks. Everything else was checked."
)
SOURCE_LANGUAGE = "en"
SHOWN = 60


class Command(BaseCommand):
    help = "Check that every text of the program is translated and the compiled catalogues are those of the sources."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--compile", action="store_true", help="first build the .mo files from the .po files")

    def handle(self, *args: Any, **options: Any) -> None:
        found: list[str] = []
        for code, _name in settings.LANGUAGES:
            if code == SOURCE_LANGUAGE:
                continue
            po = catalogue_path(Path(settings.BASE_DIR), to_locale(code))
            if not po.exists():
                raise CommandError(f"{po} is missing: run manage.py makemessages -l {to_locale(code)}.")
            if options["compile"]:
                po.with_suffix(".mo").write_bytes(compiled(parse(po.read_text("utf-8"))))
            found += check(po, to_locale(code))
        if shutil.which("xgettext") is None:
            self.stderr.write(self.style.WARNING(NO_TOOLS))
        for line in found[:SHOWN]:
            self.stderr.write(line)
        if found:
            raise CommandError(f"{len(found)} faults in the translations.")
        self.stdout.write("The translations are complete.")


def catalogue_path(root: Path, locale: str) -> Path:
    return root / "locale" / locale / "LC_MESSAGES" / "django.po"


def check(po: Path, locale: str) -> list[str]:
    """What is wrong with one catalogue, a line each."""
    messages = parse(po.read_text("utf-8"))
    found = list(faults(messages))
    if shutil.which("xgettext"):
        known = {(message.context, message.id) for message in messages}
        wanted = [m for m in messages_in_code(locale) if not m.is_header and (m.context, m.id) not in known]
        found += [f"not in the catalogue: {message}" for message in wanted]
    return found + list(stale(po, pairs(messages)))


def stale(po: Path, wanted: dict[str, str]) -> Iterator[str]:
    mo = po.with_suffix(".mo")
    if not mo.exists():
        yield f"{mo.name} is missing: run manage.py check_translations --compile"
        return
    with mo.open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    built = {str(key[0] if isinstance(key, tuple) else key): text for key, text in catalogue.items()}
    # Python keeps a plural under its singular and the number of the form; only the first form is compared.
    expected = {key.partition("\0")[0]: text.partition("\0")[0] for key, text in wanted.items()}
    if {k: v for k, v in built.items() if k} != {k: v for k, v in expected.items() if k}:
        yield f"{mo.name} is not built from {po.name}: run manage.py check_translations --compile"


def messages_in_code(locale: str) -> Any:
    """Every text the code marks for translation, found in a copy so that nothing here is touched."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source"
        ignored = shutil.ignore_patterns(".*", "node_modules", "var", "staticfiles", "tests", "locale", "__pycache__")
        shutil.copytree(settings.BASE_DIR, copy, ignore=ignored)
        catalogue_path(copy, locale).parent.mkdir(parents=True)
        with _inside(copy), override_settings(LOCALE_PATHS=[], MEDIA_ROOT="", STATIC_ROOT=""):
            call_command("makemessages", locale=[locale], verbosity=0)
        return parse(catalogue_path(copy, locale).read_text("utf-8"))


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
