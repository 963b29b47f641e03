from django.db import migrations

from customers.domain.names import core_key, name_key, spelling


def fill(apps, schema_editor):
    """What names on file are compared with watchlists by."""
    fields = ["name_core", "contact_key", "contact_spelling"]
    for name in ("Customer", "Lead"):
        model = apps.get_model("customers", name)
        changed = []
        for row in model.objects.only("pk", "name", "contact_name").iterator(chunk_size=2000):
            row.name_core = core_key(row.name)[:120]
            row.contact_key = name_key(row.contact_name)[:60]
            row.contact_spelling = spelling(row.contact_name)[:360]
            changed.append(row)
            if len(changed) >= 2000:
                model.objects.bulk_update(changed, fields)
                changed.clear()
        model.objects.bulk_update(changed, fields)


class Migration(migrations.Migration):
    dependencies = [("customers", "0021_screening")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
