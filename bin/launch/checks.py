"""bin/test: formatting, lint, types, import contracts, migrations, translations, then the whole test suite."""

import argparse
import os
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from launch import environment, packages, services
from launch.console import Failure, say
from launch.folders import PYTHON, TEST
from launch.locks import only_one
from launch.processes import run
from launch.signals import Stopped, stop_signals

MANAGE = [str(PYTHON), "manage.py"]
CHECKS: dict[str, list[str]] = {
    "format": ["ruff", "format", "--check", "--output-format", "concise", "."],
    "lint": ["ruff", "check", "--output-format", "concise", "."],
    "types": ["mypy"],
    "imports": ["lint-imports"],
    "migrations": [*MANAGE, "makemigrations", "--check", "--dry-run"],
    "translations": [*MANAGE, "check_translations"],
    "machines": [*MANAGE, "draw_machines", "--check"],
}
REPORT = TEST.run_data / "pytest.xml"
#: Two workers: the databases and browsers of more do not fit a small machine. `-n` on the command line wins.
PARALLEL = [str(PYTHON), "-m", "pytest", "-n", "2"]
PYTEST = [*PARALLEL, "--dist", "worksteal", f"--junitxml={REPORT}"]
#: Whole databases are put back and compared there, which other tests on the same one would disturb. What a file makes
#: for its tests takes a minute, so a file stays with one worker.
ALONE = "tests/kill"
REPORT_ALONE = TEST.run_data / "pytest-kill.xml"
PYTEST_ALONE = [*PARALLEL, "--dist", "loadfile", ALONE, f"--junitxml={REPORT_ALONE}"]
NO_BROWSER = (
    "No Chromium found (CHROMIUM_PATH, or chromium on the PATH), and XIAOWEI_REQUIRE_BROWSER is set: "
    "the browser tests would be skipped."
)


def main() -> int:
    """Run every check, also after one has failed; return 0 only when all passed."""
    options, pytest_arguments = _arguments()
    environment.forget_handed_out()
    stop_signals.install()
    try:
        with only_one(TEST, "test"):
            return _set_up_and_run(options.only or [*CHECKS, "pytest"], pytest_arguments)
    except Failure as failure:
        say(str(failure))
        return 1
    except Stopped:
        say("Stopped.")
        return 130


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    examples = "All else goes to pytest: bin/test -k drawdown; bin/test --only pytest -- tests/loans -x"
    parser = argparse.ArgumentParser(prog="bin/test", description=__doc__, epilog=examples, allow_abbrev=False)
    parser.add_argument("--only", action="append", choices=[*CHECKS, "pytest"], help="may be given repeatedly")
    options, rest = parser.parse_known_args()
    return options, [word for word in rest if word != "--"]


def _set_up_and_run(names: list[str], pytest_arguments: list[str]) -> int:
    packages.install_python(*packages.FOR_TESTS)
    packages.install_node()
    if os.environ.get("XIAOWEI_REQUIRE_BROWSER") == "1" and not environment.find_chromium():
        raise Failure(NO_BROWSER)
    try:
        services.ensure()
        return _run_checks(names, pytest_arguments, environment.for_programs(services.settings()))
    finally:
        if not services.KEEP.exists():
            services.stop()


def _run_checks(names: list[str], pytest_arguments: list[str], variables: dict[str, str]) -> int:
    checks = [name for name in CHECKS if name in names]
    failed = [name for name in checks if not _passes(name, CHECKS[name], variables)]
    summary = f"{len(checks) - len(failed)} checks passed, {len(failed)} failed" + (
        f": {', '.join(failed)}" if failed else ""
    )
    if "pytest" not in names:
        say(f"\n{summary}")
        return int(bool(failed))
    # A database of its own name, so that a pytest by hand may run beside this.
    variables.setdefault("TEST_DB_SUFFIX", "_all")
    for report in (REPORT, REPORT_ALONE):
        report.unlink(missing_ok=True)
    if pytest_arguments:
        tests_pass = _passes("pytest", PYTEST + pytest_arguments, variables)
    else:
        alone_pass = _passes("pytest, kill proofs", PYTEST_ALONE, variables | {"TEST_DB_SUFFIX": "_kill"})
        tests_pass = _passes("pytest", [*PYTEST, f"--ignore={ALONE}"], variables) and alone_pass
    say(f"\n{summary}\n{_count(REPORT, REPORT_ALONE)}")
    return int(bool(failed) or not tests_pass)


def _passes(name: str, command: list[str], variables: dict[str, str]) -> bool:
    say(f"\n== {name}")
    started = time.monotonic()
    code = run(command, environment=variables, check=False)
    result = "passed" if code == 0 else f"FAILED (exit code {code})"
    say(f"-- {name}: {result}, {time.monotonic() - started:.1f} s")
    return code == 0


def _count(*reports: Path) -> str:
    """The closing line, from pytest's own reports: `312 passed, 0 failed, 2 skipped in 401.5 s`."""
    written = [report for report in reports if report.exists()]
    if not written:
        return "pytest did not finish: 0 passed, 0 failed"
    suites = [suite for report in written for suite in ElementTree.parse(report).getroot().iter("testsuite")]
    tests, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    seconds = sum(float(suite.get("time", 0)) for suite in suites)
    line = f"{tests - failures - errors - skipped} passed, {failures} failed"
    line += f", {errors} errors" if errors else ""
    line += f", {skipped} skipped" if skipped else ""
    return f"{line} in {seconds:.1f} s"
