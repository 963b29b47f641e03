from django.contrib.postgres.operations import CreateExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0022_names_compared")]
    operations = [CreateExtension("fuzzystrmatch")]
