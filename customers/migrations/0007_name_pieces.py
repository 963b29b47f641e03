from django.db import migrations

from customers.domain.names import bigrams


def rewrite(apps, schema_editor):
    """Pieces of names are now those of the simplified script without marks."""
    customer = apps.get_model("customers", "Customer")
    changed = []
    for row in customer.objects.only("pk", "name", "name_bigrams").iterator(chunk_size=2000):
        pieces = bigrams(row.name)
        if pieces != row.name_bigrams:
            row.name_bigrams = pieces
            changed.append(row)
        if len(changed) >= 2000:
            customer.objects.bulk_update(changed, ["name_bigrams"])
            changed.clear()
    customer.objects.bulk_update(changed, ["name_bigrams"])


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_monthly_figures")]
    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop)]
