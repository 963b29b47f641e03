"""Background work of lending: payments to and from the core bank. Every task may run twice."""

from __future__ import annotations

from celery import shared_task

from loans.services import debit_files, debits, payouts, rail_round


@shared_task
def send_payout(instruction_id: int) -> None:
    """Send one payout."""
    payouts.send_payout(instruction_id=instruction_id)


@shared_task
def send_collection(instruction_id: int) -> None:
    """Send one debit."""
    debits.send_collection(instruction_id=instruction_id)


@shared_task
def send_debit_file(file_id: int) -> None:
    """Send the debits of a day."""
    debit_files.send_debit_file(file_id=file_id)


@shared_task
def make_debit_file() -> int | None:
    """Make the debit file of the day, unless somebody did. Returns its id."""
    file = debit_files.make_when_due()
    return file.pk if file else None


@shared_task
def debit_round() -> int:
    """Send the debit files that are made, fetch the results of those that are sent."""
    return debit_files.debit_round()


@shared_task
def resume_payouts() -> int:
    """Take up payments whose task was lost or whose answer is missing. Returns how many were tried."""
    return rail_round.resume_payments()
