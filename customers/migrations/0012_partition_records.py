from typing import Any

from django.db import migrations

from branch.partitions import partition_table


def partition(apps: Any, schema_editor: Any) -> None:
    for table in ("customers_externalrecord", "customers_recorddetail"):
        partition_table(schema_editor, table)


class Migration(migrations.Migration):
    dependencies = [("customers", "0011_records_registry")]
    operations = [migrations.RunPython(partition, migrations.RunPython.noop)]
