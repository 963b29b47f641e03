from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_farm_household_once")]

    operations = [
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["identity_digest"], name="customer_identity"),
        ),
    ]
