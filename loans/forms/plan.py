"""An agreed plan as it is typed: one row per line."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


class PlanField(forms.JSONField):
    """An agreed plan, `[{"due_date", "principal"}]`; on a page one row per line, such as 2026-06-30 50000.00."""

    widget = forms.Textarea(attrs={"rows": 5})

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            parts = [line.replace(",", "").replace("，", "").split() for line in value.splitlines() if line.strip()]
            if any(len(part) != 2 for part in parts):
                raise ValidationError(_("A row is a day and an amount, such as 2026-06-30 50000.00."))
            return [{"due_date": day, "principal": principal} for day, principal in parts]
        return value or []

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data

    def prepare_value(self, value: Any) -> Any:
        return plan_text(value) if isinstance(value, list) else value or ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data != initial)


def plan_text(rows: Any) -> str:
    """An agreed plan as it is typed."""
    return "\n".join(" ".join(str(part) for part in row.values()) for row in rows if isinstance(row, dict))
