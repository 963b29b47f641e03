"""A text without its translation, or a catalogue that is not built, does not pass."""

from __future__ import annotations

import gettext
import io
import shutil
import subprocess

import pytest
from django.core.management import CommandError, call_command

from branch.catalogue import compiled, faults, parse

PO = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=1; plural=0;\n"

#: branch/a.py:1
msgid "Loan"
msgstr "贷款"

#: branch/a.py:2
msgctxt "state"
msgid "open"
msgstr "开立"

#: branch/a.py:3
#, python-format
msgid ""
"Choose %(date)s\n"
"or \"later\"."
msgstr "请选择 %(date)s\n或\"以后\"。"

#, python-format
msgid "%(n)s day"
msgid_plural "%(n)s days"
msgstr[0] "%(n)s 天"

#~ msgid "gone"
#~ msgstr "没了"
"""


def translations(text: str) -> gettext.GNUTranslations:
    return gettext.GNUTranslations(io.BytesIO(compiled(parse(text))))


def test_a_built_catalogue_says_what_its_source_says() -> None:
    built = translations(PO)
    assert built.gettext("Loan") == "贷款"
    assert built.pgettext("state", "open") == "开立"
    assert built.gettext("open") == "open"
    assert built.gettext('Choose %(date)s\nor "later".') == '请选择 %(date)s\n或"以后"。'
    assert built.ngettext("%(n)s day", "%(n)s days", 3) == "%(n)s 天"
    assert built.gettext("gone") == "gone"


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="msgfmt is not on this machine")
def test_it_is_the_same_as_what_msgfmt_builds(tmp_path) -> None:
    (tmp_path / "x.po").write_text(PO, "utf-8")
    subprocess.run(["msgfmt", "-o", tmp_path / "x.mo", tmp_path / "x.po"], check=True)
    with (tmp_path / "x.mo").open("rb") as file:
        theirs = gettext.GNUTranslations(file)
    assert vars(translations(PO))["_catalog"] == vars(theirs)["_catalog"]


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ('msgid "a"\nmsgstr ""', "not translated: a"),
        ('#, fuzzy\nmsgid "a"\nmsgstr "b"', "fuzzy: a"),
        ('msgctxt "state"\nmsgid "a"\nmsgstr ""', "not translated: state|a"),
        ('#: x.py\nmsgid "%(a)s"\nmsgstr "%(b)s"', "other places than in English: %(a)s  (x.py)"),
        ('msgid "%(a)s"\nmsgstr "b"', "other places than in English: %(a)s"),
        ('msgid "a"\nmsgid_plural "as"\nmsgstr[0] ""', "not translated: a"),
        ('msgid "a"\nmsgstr "b"', None),
    ],
)
def test_faults_are_named(entry, fault) -> None:
    assert list(faults(parse(PO + "\n" + entry))) == ([fault] if fault else [])


def test_a_line_of_another_kind_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="not a line"):
        parse("msgid 'single quotes'")


@pytest.fixture
def program(settings, tmp_path):
    """A program of one module with a whole catalogue."""
    settings.BASE_DIR = tmp_path
    settings.LANGUAGES = [("zh-hans", "Chinese"), ("en", "English")]
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    folder = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(PO, "utf-8")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "a.py").write_text('_("Loan")\nParameter("a.b", int, 1, "Loan")\n')
    call_command("check_translations", compile=True)
    return tmp_path


def refused(capsys) -> str:
    with pytest.raises(CommandError):
        call_command("check_translations")
    return capsys.readouterr().err


def test_a_whole_catalogue_passes(program) -> None:
    call_command("check_translations")


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="xgettext is not on this machine")
@pytest.mark.parametrize(
    "code",
    [
        '_("Something new")',
        'pgettext("event", "Something new")',
        'Parameter("a.c", int, 1, "Something new", lowest=1)',
    ],
)
def test_a_text_in_the_code_that_the_catalogue_lacks_is_named(program, capsys, code) -> None:
    (program / "app" / "b.py").write_text(code)
    before = sorted(program.rglob("*"))

    assert "Something new  (app/b.py" in refused(capsys)
    assert sorted(program.rglob("*")) == before


def test_a_catalogue_that_was_not_built_again_is_named(program, capsys) -> None:
    po = program / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    po.write_text(PO.replace("贷款", "借款"), "utf-8")
    assert "is not built from" in refused(capsys)
    po.with_suffix(".mo").unlink()
    assert "is missing" in refused(capsys)
    call_command("check_translations", compile=True)
    call_command("check_translations")


def test_without_the_tools_it_says_what_was_not_checked(program, capsys, monkeypatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    call_command("check_translations")
    assert "xgettext" in capsys.readouterr().err
