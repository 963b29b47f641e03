"""The commands themselves: who may run at once, what they say, which Pythons can read them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from launch import checks, locks, people
from launch.console import Failure
from launch.folders import ROOT, Folders

NAMES = ("lin", "zhao", "sun", "qian", "wu", "zhou", "he", "feng", "outsider")


def test_a_second_launcher_is_told_where_the_first_one_is(folders: Folders):
    with locks.only_one(folders, "demo") as tell:
        tell(", http://127.0.0.1:8000")
        with (
            pytest.raises(Failure, match=r"bin/demo is already running .* http://127\.0\.0\.1:8000"),
            locks.only_one(folders, "demo"),
        ):
            pass
    with locks.only_one(folders, "demo"):
        pass


def test_the_screen_introduces_everyone_and_fits():
    lines = people.screen("http://127.0.0.1:8000").splitlines()

    assert tuple(name for name, _, _ in people.PEOPLE) == NAMES
    assert all(any(line.strip().startswith(name) for line in lines) for name in NAMES)
    assert any("http://127.0.0.1:8000" in line for line in lines)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(
    ("suite", "line"),
    [
        ('tests="5" failures="0" errors="0" skipped="0" time="1.25"', "5 passed, 0 failed in 1.2 s"),
        (
            'tests="9" failures="2" errors="1" skipped="3" time="60"',
            "3 passed, 2 failed, 1 errors, 3 skipped in 60.0 s",
        ),
    ],
)
def test_the_closing_line_counts_what_pytest_reported(tmp_path: Path, suite: str, line: str):
    report = tmp_path / "pytest.xml"
    report.write_text(f"<testsuites><testsuite {suite}/></testsuites>")

    assert checks._count(report) == line


def test_a_suite_that_never_reported_did_not_pass(tmp_path: Path):
    assert checks._count(tmp_path / "none.xml").startswith("pytest did not finish")


def test_every_check_runs_although_one_failed(monkeypatch: pytest.MonkeyPatch, capsys):
    quick = {"format": ["false"], "lint": ["true"], "types": ["false"]}
    monkeypatch.setattr(checks, "CHECKS", quick)

    code = checks._run_checks([*quick], [], {"PATH": "/usr/bin:/bin"})

    said = capsys.readouterr().out
    assert code == 1
    assert all(f"== {name}" in said for name in quick)
    assert said.splitlines()[-1] == "1 checks passed, 2 failed: format, types"


def test_unknown_words_go_to_pytest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "argv", ["bin/test", "--only", "pytest", "--", "tests/loans", "-x", "-k", "drawdown"])

    options, rest = checks._arguments()

    assert options.only == ["pytest"]
    assert rest == ["tests/loans", "-x", "-k", "drawdown"]


@pytest.mark.parametrize("name", ["demo", "test", "services", "launch/python.py"])
def test_an_old_python_gets_as_far_as_its_message(name: str):
    ast.parse((ROOT / "bin" / name).read_text(), feature_version=(3, 7))


def test_an_old_python_is_told_what_is_needed():
    pretend = (
        "import sys; sys.path.insert(0, 'bin'); import launch.python as python\n"
        "sys.version_info = (3, 9, 1); python.NAMES = []; python.require()"
    )
    done = subprocess.run([sys.executable, "-c", pretend], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "is Python 3.9" in done.stderr


@pytest.mark.parametrize("name", ["demo", "test", "services"])
def test_the_launcher_imports_nothing_that_must_be_installed(name: str):
    """-I -S: no environment, no site-packages; asking for help imports every module of the command."""
    program = ROOT / "bin" / name
    start = f"import sys, runpy; sys.path.insert(0, {str(program.parent)!r}); sys.argv = ['x', '--help']; "
    start += f"runpy.run_path({str(program)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", start], capture_output=True, text=True)

    assert "Traceback" not in done.stderr
    assert done.stdout
