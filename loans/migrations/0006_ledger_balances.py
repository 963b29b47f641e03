"""Postings by month, entries that balance or are refused, and the family of loans made before."""

from typing import Any

from django.db import migrations

from branch.partitions import partition_table

# All lines of an entry come in one statement, so the entry is looked at as a whole when that statement ends: lines
# added to it later would not fit its total.
BALANCED = """
CREATE FUNCTION loans_journal_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad bigint;
BEGIN
    SELECT n.entry_id INTO bad FROM new_lines n LEFT JOIN loans_journalentry e ON e.id = n.entry_id
    WHERE e.id IS NULL OR n.date <> e.business_date OR n.office_id <> e.office_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal entry %: a line is of another day or office', bad USING ERRCODE = 'check_violation';
    END IF;
    SELECT e.id INTO bad
    FROM loans_journalentry e JOIN loans_journalline l ON l.entry_id = e.id AND l.date = e.business_date
    WHERE e.id IN (SELECT entry_id FROM new_lines)
    GROUP BY e.id, e.total HAVING sum(l.debit) <> e.total OR sum(l.credit) <> e.total LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal entry % does not balance', bad USING ERRCODE = 'check_violation';
    END IF;
    SELECT r.id INTO bad
    FROM loans_journalentry r JOIN loans_journalentry o ON o.id = r.reverses_id
    WHERE r.id IN (SELECT entry_id FROM new_lines) AND (
        r.office_id <> o.office_id OR r.loan_id IS DISTINCT FROM o.loan_id OR EXISTS (
            SELECT FROM (
                SELECT l.family, l.account, l.debit, l.credit FROM loans_journalline l
                WHERE l.entry_id = r.id AND l.date = r.business_date
                UNION ALL
                SELECT l.family, l.account, -l.credit, -l.debit FROM loans_journalline l
                WHERE l.entry_id = o.id AND l.date = o.business_date
            ) both_ways
            GROUP BY family, account HAVING sum(debit) <> 0 OR sum(credit) <> 0
        )
    ) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal entry % does not take back what it names', bad USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_balances AFTER INSERT ON loans_journalline
    REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION loans_journal_balances();

CREATE FUNCTION loans_journal_has_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM loans_journalline WHERE entry_id = NEW.id AND date = NEW.business_date) THEN
        RAISE EXCEPTION 'journal entry % has no lines', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_has_lines AFTER INSERT ON loans_journalentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION loans_journal_has_lines();
"""
NOT_BALANCED = """
DROP TRIGGER journal_balances ON loans_journalline;
DROP TRIGGER journal_has_lines ON loans_journalentry;
DROP FUNCTION loans_journal_balances();
DROP FUNCTION loans_journal_has_lines();
"""
FAMILIES = """
UPDATE loans_loan l SET product_family = p.family
FROM loans_application a JOIN loans_productversion v ON v.id = a.product_version_id
JOIN loans_product p ON p.id = v.product_id
WHERE a.id = l.application_id
"""


def partition(apps: Any, schema_editor: Any) -> None:
    partition_table(schema_editor, "loans_journalline")


class Migration(migrations.Migration):
    dependencies = [("loans", "0005_ledger")]
    operations = [
        migrations.RunPython(partition, migrations.RunPython.noop),
        migrations.RunSQL(BALANCED, NOT_BALANCED),
        migrations.RunSQL(FAMILIES, migrations.RunSQL.noop),
    ]
