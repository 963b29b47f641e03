from django.db import migrations

#: Loans so far were served as they were planned: nothing but repayments happened to them.
INSTALMENTS = """
UPDATE loans_instalment i
SET end_date = i.due_date, earned_interest = i.interest, bearing_from = i.start_date,
    bearing_principal = i.balance_after + i.principal,
    counted_days = CASE WHEN l.day_count = '30/360' AND c.frequency_unit = 'month' THEN 30 * c.frequency_every
                        ELSE i.due_date - i.start_date END
FROM loans_loan l JOIN loans_drawdown d ON d.id = l.drawdown_id JOIN loans_facility f ON f.id = d.facility_id
JOIN loans_contract c ON c.id = f.contract_id
WHERE l.id = i.loan_id
"""
TRANSACTIONS = """
INSERT INTO loans_loantransaction (loan_id, customer_id, kind, reference, value_date, booked_date, amount, parameters,
                                   reason, booked_by_id)
SELECT l.id, l.customer_id, 'disbursement', l.number, l.start_date, l.start_date, l.principal, '{}', '', d.released_by_id
FROM loans_loan l JOIN loans_drawdown d ON d.id = l.drawdown_id ORDER BY l.id;
INSERT INTO loans_loantransaction (loan_id, customer_id, kind, reference, value_date, booked_date, amount, parameters,
                                   reason, repayment_id, booked_by_id, booked_at)
SELECT r.loan_id, r.customer_id, CASE WHEN r.is_payoff THEN 'payoff' ELSE 'repayment' END, r.reference, r.value_date,
       r.value_date, r.amount, '{}', '', r.id, r.booked_by_id, r.booked_at
FROM loans_repayment r ORDER BY r.id;
UPDATE loans_loanentry e SET transaction_id = t.id FROM loans_loantransaction t
WHERE t.loan_id = e.loan_id AND (t.repayment_id = e.repayment_id OR (e.kind = 'disbursement' AND t.kind = 'disbursement'))
"""


class Migration(migrations.Migration):
    dependencies = [("loans", "0009_loan_transactions")]
    operations = [
        migrations.RunSQL(INSTALMENTS, migrations.RunSQL.noop),
        migrations.RunSQL(TRANSACTIONS, migrations.RunSQL.noop),
    ]
