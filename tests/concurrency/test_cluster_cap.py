"""The last room of a cluster's cap, wanted by two members at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace

import pytest
from celery import current_app

from branch.domain.refusals import Unmet
from loans.models import Application
from loans.queries.clusters import cluster_exposure
from loans.services import offers
from tests.concurrency.test_money import at_once
from tests.customers.cluster_making import active_cluster, member_row, taken_in
from tests.customers.making import make_customer, uscc_of
from tests.loans.making import TERMS, product_on_sale

pytestmark = pytest.mark.django_db(transaction=True)
FILES = 4


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda name, args=(), **kwargs: None)


def test_members_decided_on_at_once_do_not_go_over_the_cap_together(cast: SimpleNamespace) -> None:
    """Two and a half files' worth of room: two of four are approved, whoever comes first."""
    version = product_on_sale(cast.actor)
    cluster = active_cluster(cast.actor, proposed_cap=Decimal(2_000_000), proposed_member_cap=Decimal(900_000))
    taken_in(cast.actor, cluster, [member_row(number) for number in range(1, FILES + 1)])
    files = []
    for number in range(1, FILES + 1):
        customer = make_customer(cast.actor("lin"), number, uscc=uscc_of(10_000 + number))
        files.append(
            Application.objects.create(
                number=f"XW-2026-{number:06d}", state="in_review", customer=customer, office=customer.office,
                owner=cast.lin, product_version=version, quote={"annual_rate": "0.045"}, **TERMS,
            )
        )  # fmt: skip
    qian = cast.actor("qian")

    def approve(file: Application) -> Callable[[], Application]:
        return lambda: offers.approve_application(
            actor=qian, application_id=file.pk, amount=Decimal(800_000), conditions=[], reason="同意"
        )

    results = at_once(*(approve(file) for file in files))
    assert [type(result) for result in results].count(Unmet) == 2
    assert Application.objects.filter(state="approved").count() == 2
    assert cluster_exposure(cluster).total == 1_600_000
