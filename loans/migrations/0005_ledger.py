import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('branch', '0006_words_and_calendar_key'),
        ('loans', '0004_suspense_used'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='loan',
            name='product_family',
            field=models.CharField(choices=[('revolving', 'Revolving micro line'), ('short_term', 'Short-term loan'), ('term', 'Term loan'), ('secured', 'Secured loan'), ('supply_chain', 'Supply-chain loan'), ('renewal', 'Renewal without repaying principal')], default='', max_length=20, verbose_name='family'),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name='JournalEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('business_date', models.DateField(verbose_name='booked on')),
                ('value_date', models.DateField(verbose_name='value date')),
                ('event', models.CharField(choices=[('disbursement', 'Paid out'), ('repayment', 'Repayment'), ('held_money_used', 'Held money put to what is due'), ('accrual', 'Interest of the day'), ('provision', 'Change of provisions'), ('fee_charged', 'Fee charged'), ('waiver', 'Waiver'), ('write_off', 'Write-off'), ('recovery', 'Recovery of a loan written off'), ('renewed', 'Ended by a renewal'), ('renewal', 'Opened by a renewal'), ('reversal', 'Reversal')], max_length=20, verbose_name='event')),
                ('customer_id', models.BigIntegerField(null=True)),
                ('total', models.DecimalField(decimal_places=2, max_digits=18, verbose_name='amount')),
                ('rules', models.CharField(max_length=20, verbose_name='posting rules')),
                ('reference', models.CharField(max_length=60, null=True, unique=True, verbose_name='reference')),
                ('source', models.CharField(default='', max_length=40, verbose_name='source')),
                ('event_id', models.BigIntegerField(null=True)),
                ('posted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='posted at')),
                ('loan', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='journal', to='loans.loan')),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='branch.office', verbose_name='office')),
                ('reverses', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversed_by', to='loans.journalentry')),
            ],
            options={
                'verbose_name': 'journal entry',
                'verbose_name_plural': 'journal',
            },
        ),
        migrations.CreateModel(
            name='JournalLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('date', models.DateField(verbose_name='booked on')),
                ('family', models.CharField(max_length=20, verbose_name='family')),
                ('account', models.CharField(max_length=10, verbose_name='account')),
                ('debit', models.DecimalField(decimal_places=2, max_digits=18, verbose_name='debit')),
                ('credit', models.DecimalField(decimal_places=2, max_digits=18, verbose_name='credit')),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='loans.journalentry', verbose_name='journal entry')),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='branch.office', verbose_name='office')),
            ],
            options={
                'verbose_name': 'posting',
                'verbose_name_plural': 'postings',
            },
        ),
        migrations.CreateModel(
            name='LedgerDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('date', models.DateField(unique=True, verbose_name='day')),
                ('entries', models.PositiveIntegerField(verbose_name='journal entries')),
                ('lines', models.PositiveIntegerField(verbose_name='postings')),
                ('debit', models.DecimalField(decimal_places=2, max_digits=18, verbose_name='debit')),
                ('credit', models.DecimalField(decimal_places=2, max_digits=18, verbose_name='credit')),
                ('digest', models.CharField(max_length=64, verbose_name='digest')),
                ('closed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='closed at')),
            ],
            options={
                'verbose_name': 'ledger day',
                'verbose_name_plural': 'general ledger files',
                'constraints': [models.CheckConstraint(condition=models.Q(('debit', models.F('credit'))), name='ledger_day_balances')],
            },
        ),
        migrations.CreateModel(
            name='PostingRuleSet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created at')),
                ('state', models.CharField(default='draft', max_length=30, verbose_name='state')),
                ('number', models.PositiveIntegerField(unique=True, verbose_name='version')),
                ('values', models.JSONField(verbose_name='rules')),
                ('active_from_date', models.DateField(null=True, verbose_name='active from')),
                ('activated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('drafted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='branch.office', verbose_name='office')),
            ],
            options={
                'verbose_name': 'posting rules',
                'verbose_name_plural': 'posting rules',
            },
        ),
        migrations.CreateModel(
            name='AccountBalance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('date', models.DateField(verbose_name='day')),
                ('family', models.CharField(max_length=20, verbose_name='family')),
                ('account', models.CharField(max_length=10, verbose_name='account')),
                ('opening', models.DecimalField(decimal_places=2, max_digits=18, verbose_name='opening balance')),
                ('debit', models.DecimalField(decimal_places=2, max_digits=18, verbose_name='debit')),
                ('credit', models.DecimalField(decimal_places=2, max_digits=18, verbose_name='credit')),
                ('closing', models.DecimalField(decimal_places=2, max_digits=18, verbose_name='closing balance')),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='branch.office', verbose_name='office')),
            ],
            options={
                'verbose_name': 'account balance',
                'verbose_name_plural': 'trial balance',
                'constraints': [models.UniqueConstraint(fields=('date', 'office', 'account', 'family'), name='one_balance_a_day'), models.CheckConstraint(condition=models.Q(('closing', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('opening'), '+', models.F('debit')), '-', models.F('credit')))), name='balance_adds_up')],
            },
        ),
        migrations.AddIndex(
            model_name='journalentry',
            index=models.Index(fields=['business_date', 'office'], name='journal_day'),
        ),
        migrations.AddIndex(
            model_name='journalentry',
            index=models.Index(fields=['loan', 'id'], name='journal_of_loan'),
        ),
        migrations.AddConstraint(
            model_name='journalentry',
            constraint=models.CheckConstraint(condition=models.Q(('total__gt', 0)), name='journal_total_positive'),
        ),
        migrations.AddConstraint(
            model_name='journalentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('event', 'reversal'), ('reverses__isnull', False)), models.Q(models.Q(('event', 'reversal'), _negated=True), ('reverses', None)), _connector='OR'), name='journal_reversal_names_entry'),
        ),
        migrations.AddIndex(
            model_name='journalline',
            index=models.Index(fields=['entry'], name='line_of_entry'),
        ),
        migrations.AddIndex(
            model_name='journalline',
            index=models.Index(fields=['date', 'account'], name='line_day_account'),
        ),
        migrations.AddConstraint(
            model_name='journalline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('credit', 0), ('debit__gt', 0)), models.Q(('credit__gt', 0), ('debit', 0)), _connector='OR'), name='line_one_side'),
        ),
        migrations.AddConstraint(
            model_name='postingruleset',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('draft', 'submitted', 'active', 'retired'))), name='posting_rules_state_known'),
        ),
        migrations.AddConstraint(
            model_name='postingruleset',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'active')), fields=('state',), name='one_active_posting_rules'),
        ),
    ]
