"""Background work of the customers' app."""

from __future__ import annotations

from celery import shared_task

from branch.domain.actor import system_actor
from branch.services.enqueue import after_commit
from customers.services import imports, prescreens, pulls, retention_nights, screening, screening_runs


@shared_task
def run_import(import_id: int) -> bool:
    """Take in the rows of one import if nobody else does. A fault is on the import itself, and it is tried again."""
    return imports.run_import(import_id)


@shared_task
def resume_imports() -> int:
    """Send out again what a lost worker or a lost message left undone, and settle months whose rules changed.

    Returns how many imports were sent out.
    """
    for import_id in imports.unsettled_imports():
        while imports.settle_import(record_import_id=import_id):
            pass
    ids = imports.waiting_imports()
    for import_id in ids:
        after_commit("customers.tasks.run_import", import_id)
    return len(ids)


@shared_task
def run_prescreen(run_id: int) -> bool:
    """Pre-screen the members of one run if nobody else does. A fault is on the run itself, and it is tried again."""
    return prescreens.run_prescreen(run_id)


@shared_task
def resume_prescreens() -> int:
    """Send out again the runs a lost worker or a lost message left undone; how many."""
    ids = prescreens.waiting_prescreens()
    for run_id in ids:
        after_commit("customers.tasks.run_prescreen", run_id)
    return len(ids)


@shared_task
def run_pull(run_id: int) -> bool:
    """Make the calls of one pull that are due, if nobody else does."""
    return pulls.run_pull(run_id)


@shared_task
def pull_round() -> int:
    """Begin the pulls whose time has come, and send out again those with calls that are due. How many are under way."""
    for feed_id in pulls.due_feeds():
        pulls.begin_pull(actor=system_actor(), feed_id=feed_id)
    ids = pulls.running_pulls()
    for run_id in ids:
        after_commit("customers.tasks.run_pull", run_id)
    return len(ids)


@shared_task
def screen_customer(customer_id: int, moment: str) -> int:
    """Keep the hits a refused transaction found. Returns how many are new."""
    return screening.screen_again(actor=system_actor(), customer_id=customer_id, moment=moment)


@shared_task
def screen_book(only_if_due: bool = True) -> bool:
    """Compare the whole book with the lists, or go on with a comparison somebody left."""
    run = screening_runs.start_screening(only_if_due=only_if_due)
    return run is not None and screening_runs.run_screening(run.pk)


@shared_task
def erase_what_is_over() -> bool:
    """Erase what is over on the business date, once a night."""
    return retention_nights.run_retention(retention_nights.start_retention().pk)


@shared_task
def resume_retention() -> int:
    """Go on with nights of erasure somebody left; how many were finished."""
    return sum(retention_nights.run_retention(run_id) for run_id in retention_nights.unfinished_retention())
