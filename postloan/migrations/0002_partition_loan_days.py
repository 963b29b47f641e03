from typing import Any

from django.db import migrations

from branch.partitions import partition_table


def partition(apps: Any, schema_editor: Any) -> None:
    partition_table(schema_editor, "postloan_loanday")


class Migration(migrations.Migration):
    dependencies = [("postloan", "0001_initial")]
    operations = [migrations.RunPython(partition, migrations.RunPython.noop)]
