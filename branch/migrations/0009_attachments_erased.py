from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('branch', '0008_documents_expire'),
    ]

    operations = [
        migrations.AddField(
            model_name='attachment',
            name='erased_on',
            field=models.DateField(editable=False, null=True, verbose_name='erased on'),
        ),
    ]
