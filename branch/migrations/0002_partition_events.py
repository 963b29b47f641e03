from typing import Any

from django.db import migrations

from branch.partitions import partition_table


def partition(apps: Any, schema_editor: Any) -> None:
    partition_table(schema_editor, "branch_event")


class Migration(migrations.Migration):
    dependencies = [("branch", "0001_initial")]
    operations = [migrations.RunPython(partition, migrations.RunPython.noop)]
