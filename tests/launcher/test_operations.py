"""What docs/operations.md and docker-compose.yml say agrees with what the settings read."""

import re

import yaml
from launch.folders import ROOT

READS = re.compile(r"(?:\benv\.\w+|\brequired)\(\s*[\"']([A-Z_]+)[\"']")
ROWS = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)
#: Read by name from a variable, which the pattern above cannot see.
COMPUTED = {"DATABASE_URL", "DATABASE_OWNER_URL"}


def read_by_settings() -> set[str]:
    return COMPUTED | {name for file in (ROOT / "config").glob("*.py") for name in READS.findall(file.read_text())}


def test_every_setting_is_in_the_table_and_nothing_else():
    documented = set(ROWS.findall((ROOT / "docs" / "operations.md").read_text()))

    assert documented == read_by_settings()


def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_compose_runs_each_part_as_a_service_of_its_own():
    services = compose()
    assert set(services) == {"postgres", "redis", "migrate", "web", "worker", "beat"}
    assert all("healthcheck" in services[name] for name in ("postgres", "redis", "web", "worker", "beat"))
    assert all(services[name]["depends_on"]["migrate"] for name in ("web", "worker", "beat"))


def test_only_the_migration_gets_the_owners_password():
    holders = {name for name, service in compose().items() if "OWNER_PASSWORD" in str(service)}
    assert holders == {"postgres", "migrate"}


def test_compose_passes_only_settings_that_exist():
    for name in ("migrate", "web", "worker", "beat"):
        assert set(compose()[name]["environment"]) <= read_by_settings(), name
