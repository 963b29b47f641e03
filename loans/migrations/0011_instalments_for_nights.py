from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loans", "0010_transactions_so_far")]
    operations = [
        migrations.AlterField("instalment", "end_date", models.DateField(verbose_name="interest runs to")),
        migrations.AlterField("instalment", "counted_days", models.PositiveIntegerField(verbose_name="days counted")),
        migrations.AlterField(
            "instalment",
            "earned_interest",
            models.DecimalField(decimal_places=2, max_digits=16, verbose_name="interest of its period"),
        ),
        migrations.AlterField(
            "instalment",
            "bearing_principal",
            models.DecimalField(decimal_places=2, max_digits=16, verbose_name="principal that bears interest"),
        ),
        migrations.AlterField("instalment", "bearing_from", models.DateField(verbose_name="and does so from")),
    ]
