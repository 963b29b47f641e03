from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loans", "0002_partition_accruals")]

    operations = [
        migrations.CreateModel(
            name="NumberSeries",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("prefix", models.CharField(max_length=10)),
                ("year", models.PositiveIntegerField()),
                ("last", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("prefix", "year"), name="number_series_once")],
            },
        ),
        migrations.AddField(
            model_name="productversion",
            name="guarantee_discounts_bp",
            field=models.JSONField(default=dict, verbose_name="discount by guarantee, bp"),
        ),
        migrations.AddField(
            model_name="productversion",
            name="repeat_discount_bp",
            field=models.PositiveIntegerField(default=0, verbose_name="discount from the second loan on, bp"),
        ),
    ]
