from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import capfirst
from django.utils.translation import override

from branch.domain.machine import Machine, Transition
from branch.domain.roles import Role
from branch.models.stateful import Stateful
from branch.words import state_word

HEAD = """# State machines 状态机

Every thing with a life of its own, drawn from the transition tables in `*/domain/machines.py` by
`manage.py draw_machines`. Anything not in a table is refused. **own** means: an account manager may do it on files they
own only. **Duty** is what doing it counts as; over a file's whole life nobody has two duties on it.

本页由 `manage.py draw_machines` 根据转移表生成；表中没有的一律拒绝。**own**：客户经理只能操作自己名下的业务。**Duty**：
该操作在整个业务周期中计为何种职责，同一人不得在同一笔业务上承担两种职责。
"""


class Command(BaseCommand):
    help = "Write docs/machines.md from the transition tables; with --check only say whether it is up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 when out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "docs" / "machines.md"
        text = page()
        if not options["check"]:
            path.write_text(text, encoding="utf-8")
            self.stdout.write(f"{path.relative_to(settings.BASE_DIR)} is written.")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise CommandError("docs/machines.md is not what the tables say: run manage.py draw_machines.")


def machines() -> dict[Machine, list[type[Stateful]]]:
    """Each machine with the models that live by it, in the order of the apps."""
    found: dict[Machine, list[type[Stateful]]] = {}
    for model in apps.get_models():
        if issubclass(model, Stateful):
            found.setdefault(model.MACHINE, []).append(model)
    return found


def page() -> str:
    parts = [HEAD, *(section(machine, models) for machine, models in machines().items())]
    return "\n".join(parts)


def section(machine: Machine, models: list[type[Stateful]]) -> str:
    rows = "\n".join(table_row(row) for row in machine.transitions)
    return (
        f"## {title(models)}\n\n{states(machine)}\n\n```mermaid\n{machine.to_mermaid()}\n```\n\n"
        f"| Event 事件 | From 从 | To 到 | Who may 谁可以 | Duty 职责 |\n| --- | --- | --- | --- | --- |\n{rows}\n"
    )


def title(models: list[type[Stateful]]) -> str:
    """`Product version, threshold set 产品版本、阈值组`."""
    with override("en"):
        english = [str(model._meta.verbose_name) for model in models]
    with override("zh-hans"):
        chinese = [str(model._meta.verbose_name) for model in models]
    words = capfirst(", ".join(english))
    return words if chinese == english else f"{words} {'、'.join(chinese)}"


def states(machine: Machine) -> str:
    """The states with their Chinese words, the first and the last ones marked."""
    words = []
    for state in machine.states:
        with override("zh-hans"):
            word = state_word(machine.name, state)
        words.append(f"`{state}`" if word.isascii() else f"`{state}` {word}")
    return "States 状态: " + ", ".join(words) + "."


def table_row(row: Transition) -> str:
    sources = ", ".join(f"`{source}`" for source in row.sources)
    return f"| `{row.event}` | {sources} | `{row.target}` | {', '.join(who(row))} | {row.duty or ''} |"


def who(row: Transition) -> Iterator[str]:
    for role in sorted(row.roles):
        yield f"{role} (own)" if role is Role.ACCOUNT_MANAGER and row.owner_only else role.value
