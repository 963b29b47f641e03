
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('loans', '0007_product_terms'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='instalment',
            name='instalment_due',
        ),
        migrations.AddIndex(
            model_name='accrual',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['date'], name='accrual_day'),
        ),
        migrations.AddIndex(
            model_name='instalment',
            index=models.Index(fields=['due_date', 'loan'], include=('start_date', 'principal', 'interest', 'balance_after'), name='instalment_due'),
        ),
        migrations.AddIndex(
            model_name='instalment',
            index=models.Index(condition=models.Q(('principal_paid__lt', models.F('principal')), ('interest_paid__lt', models.F('interest')), _connector='OR'), fields=['due_date'], name='instalment_open'),
        ),
        # Room on each page, so that a night's change of a loan stays on it and touches no index.
        migrations.RunSQL(
            "ALTER TABLE loans_loan SET (fillfactor = 80)", "ALTER TABLE loans_loan RESET (fillfactor)"
        ),
    ]
