"""What is known of the demo branch's running borrowers besides their loans: who is behind them and stands for whom,
what they allowed, how long their papers hold, and whether a watchlist names them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils import translation

from branch.domain.actor import system_actor
from branch.queries.business_date import business_date
from branch.services.attachments import attach
from customers.models import Customer
from customers.services import consents, imports, relations, screening, screening_hits, watchlists
from desk.demo.people import actor
from desk.demo.stories import ONE_PAGE_PDF, RUNNING, Firm, Story

#: (debtor, guarantor, amount) by place among the running firms: a circle of three, and one outside it.
GUARANTEES = ((1, 0, "300000"), (2, 1, "200000"), (0, 2, None), (3, 0, "150000"))
#: (firm, kind, title, days from today to the last one).
PAPERS = (
    (0, "licence", "营业执照", 12), (0, "identity", "法定代表人身份证", -20), (1, "licence", "营业执照", 700),
    (1, "identity", "经营者身份证", 2200), (2, "document", "门面租赁合同", 25), (3, "licence", "营业执照", -3),
)  # fmt: skip


def tell_standing() -> None:
    """Of the running firms alone, so that nobody on the way is stopped by it."""
    with translation.override("zh-hans"):
        _tell_links()
        _tell_consents()
        _tell_papers()
        _tell_watchlist()


def _customer(place: int) -> Customer:
    return Story(RUNNING[place]).customer


def _firm(firm: Firm) -> relations.Other:
    return {"party_kind": "firm", "name": firm.name, "uscc": firm.uscc}


def _tell_links() -> None:
    """Each firm belongs to its contact; the fourth holds a part of the third."""
    lin, since = actor("lin"), business_date() - timedelta(days=900)
    for place, firm in enumerate(RUNNING):
        person: relations.Other = {
            "party_kind": "person", "name": firm.contact, "identity_number": firm.identity_number,
        }  # fmt: skip
        pk = _customer(place).pk
        relations.add_relation(
            actor=lin, customer_id=pk, kind="shareholder", other=person, share=Decimal(65 if place == 2 else 100),
            since_date=since, source="工商登记",
        )  # fmt: skip
        relations.add_relation(
            actor=lin, customer_id=pk, kind="legal_representative", other=person, since_date=since, source="工商登记"
        )
    relations.add_relation(
        actor=lin, customer_id=_customer(2).pk, kind="shareholder", other=_firm(RUNNING[3]), share=Decimal(35),
        since_date=since, source="工商登记",
    )  # fmt: skip
    for debtor, guarantor, amount in GUARANTEES:
        relations.add_relation(
            actor=lin, customer_id=_customer(debtor).pk, kind="guarantor", other=_firm(RUNNING[guarantor]),
            amount=Decimal(amount) if amount else None, source="保证合同",
        )  # fmt: skip


def _tell_consents() -> None:
    """One more in force, and one taken back."""
    lin, today = actor("lin"), business_date()
    for place in (0, 1):
        given = consents.record_consent(
            actor=lin, customer_id=_customer(place).pk, scope="credit_bureau",
            given_by_name=RUNNING[place].contact, given_on=today, expires_on=today + timedelta(days=180),
        )  # fmt: skip
    consents.withdraw_consent(actor=lin, consent_id=given.pk, reason="客户来电撤回")


def _tell_papers() -> None:
    today = business_date()
    for place, kind, title, days in PAPERS:
        attach(
            actor=actor("lin"), subject=_customer(place), kind=kind, title=f"{title}.pdf", upload=ONE_PAGE_PDF,
            expires_on=today + timedelta(days=days),
        )  # fmt: skip


def _tell_watchlist() -> None:
    """A list names two of them: one turned out to be somebody else, the other waits to be looked into."""
    zhou = actor("zhou")
    watchlist = watchlists.create_watchlist(actor=zhou, code="attention", name="行内关注名单", kind="internal")
    rows = [{"name": RUNNING[place].name, "reason": "同业提示"} for place in (2, 3)]
    imports.run_import(watchlists.send_list(actor=zhou, watchlist_id=watchlist.pk, rows=rows, start=True).pk)
    for place in (2, 3):
        screening.screen_again(actor=system_actor(), customer_id=_customer(place).pk, moment="book")
    hit = _customer(2).screening_hits.get()
    screening_hits.propose_hit(
        actor=actor("sun"), screening_hit_id=hit.pk, outcome="clear", reason="核对注册地和经营者，为重名"
    )
    screening_hits.clear_hit(actor=actor("he"), screening_hit_id=hit.pk, reason="复核一致")
