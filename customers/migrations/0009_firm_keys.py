from django.db import migrations

from branch.fields import lookup_digest
from customers.domain.duplicates import phone_key
from customers.domain.names import bigrams, name_key, spelling


def fill(apps, schema_editor):
    """What firms are compared by, of those that are on file already."""
    for name in ("Customer", "Lead"):
        model = apps.get_model("customers", name)
        changed = []
        for row in model.objects.only("pk", "name", "phone").iterator(chunk_size=2000):
            row.name_bigrams = bigrams(row.name)
            row.name_key, row.name_spelling = name_key(row.name)[:120], spelling(row.name)[:600]
            row.phone_digest = lookup_digest(phone_key(row.phone)) if row.phone else ""
            changed.append(row)
            if len(changed) >= 2000:
                _write(model, changed)
        _write(model, changed)
    # How far a lost lead had come stands in the record.
    schema_editor.execute(
        """
        UPDATE customers_lead l SET reached = CASE
            WHEN l.state <> 'lost' THEN l.state
            WHEN EXISTS (SELECT FROM branch_event e WHERE e.subject_type = 'lead' AND e.subject_id = l.id::text
                         AND e.name = 'lead.qualify') THEN 'qualified'
            WHEN EXISTS (SELECT FROM branch_event e WHERE e.subject_type = 'lead' AND e.subject_id = l.id::text
                         AND e.name = 'lead.contact') THEN 'contacted'
            ELSE 'new' END,
            lost_reason_code = CASE WHEN l.state = 'lost' THEN 'other' ELSE '' END
        """
    )


def _write(model, changed):
    model.objects.bulk_update(changed, ["name_bigrams", "name_key", "name_spelling", "phone_digest"])
    changed.clear()


class Migration(migrations.Migration):
    dependencies = [("customers", "0008_lead_duplicates")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
