from typing import Any

from django.db import migrations

from branch.partitions import partition_table


def partition(apps: Any, schema_editor: Any) -> None:
    partition_table(schema_editor, "customers_invoice")
    # Rows come by the hundred thousand and are told apart by what they say; their numbers only lead to a page. They
    # grow with the table, so an index of ranges finds one, and costs an import next to nothing.
    schema_editor.execute("ALTER TABLE customers_invoice DROP CONSTRAINT customers_invoice_pkey")
    schema_editor.execute("CREATE INDEX invoice_numbers ON customers_invoice USING brin (id)")


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_record_imports")]
    operations = [migrations.RunPython(partition, migrations.RunPython.noop)]
