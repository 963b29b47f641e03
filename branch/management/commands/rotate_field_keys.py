from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from branch.services.key_rotation import encrypted_fields, rotate


class Command(BaseCommand):
    help = (
        "Write every personal field anew with the newest of FIELD_KEYS. Can be stopped and begun again; after it "
        "the older keys are needed only for backups."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for model, names in encrypted_fields():
            looked_at, written = rotate(model, names)
            self.stdout.write(f"{model._meta.label}: {written} of {looked_at} rows written anew ({', '.join(names)})")
