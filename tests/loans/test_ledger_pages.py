"""The pages and API of the books: what each shows, to whom, and that amounts lead to what they came from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
from django.test import Client
from rest_framework.test import APIClient

from branch.models import Event, ParameterValue, RoleAssignment
from loans.domain.ledger import SHIPPED, Kind, MoneyEvent, faults_of
from loans.models import JournalEntry, LedgerDay, Loan, PostingRuleSet
from loans.queries.ledger import rules_in_force, stored_rules
from loans.services import ledger, repayments
from loans.services.ledger_days import close_ledger_day
from tests.cast import OPENING
from tests.loans.given import AMOUNT, move_to, paid_out_loan


@pytest.fixture
def visitor(cast: SimpleNamespace) -> Callable[[str], Client]:
    """A browser somebody is signed in with; nobody needs a second factor."""
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))

    def signed_in(username: str, language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        client.force_login(getattr(cast, username), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


@pytest.fixture
def api(cast: SimpleNamespace, visitor: Any) -> Callable[[str], APIClient]:
    def signed_in(username: str) -> APIClient:
        client = APIClient()
        client.force_authenticate(getattr(cast, username))
        return client

    return signed_in


@pytest.fixture
def loan(cast: SimpleNamespace) -> Loan:
    """Paid out on the first day; on the second, 500 came in and are held."""
    loan = paid_out_loan(cast)
    move_to(date(2026, 3, 3))
    close_ledger_day(OPENING)
    repayments.book_repayment(actor=cast.actor("he"), loan_id=loan.pk, amount=Decimal("500.00"), reference="R1")
    return loan


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_who_reads_the_books(visitor: Any, loan: Loan) -> None:
    entry, day = JournalEntry.objects.first(), LedgerDay.objects.get()
    assert entry is not None
    places = {
        "/journal-entries/": "wu he zhou feng",
        f"/journal-entries/{entry.pk}/": "wu he zhou feng",
        "/account-balances/": "wu he zhou feng",
        f"/ledger-days/{day.pk}/": "feng",
        f"/ledger-days/{day.pk}/file.csv": "feng",
        "/posting-rules/": "wu he zhou qian feng",
        "/accruals/": "wu he lin sun qian zhou feng",
        "/loan-days/": "wu he lin sun qian zhou feng",
        f"/loans/{loan.pk}/statement/": "wu he lin sun qian zhou feng",
        f"/loans/{loan.pk}/statement.pdf": "wu he lin sun qian zhou feng",
    }
    for who in ("lin", "zhao", "sun", "qian", "wu", "zhou", "he", "feng", "outsider"):
        client = visitor(who)
        for place, readers in places.items():
            status = client.get(place).status_code
            expected = (200,) if who in readers.split() else (403, 404)
            # The outsider is an account manager elsewhere: lists open for them, empty.
            assert status in expected or (who == "outsider" and place in ("/accruals/", "/loan-days/")), (who, place)


def test_an_office_sees_its_own_books_only(cast: SimpleNamespace, api: Any, loan: Loan) -> None:
    RoleAssignment.objects.create(
        user=cast.outsider, role="loan_accountant", office=cast.offices.JB, start_date=date(2020, 1, 1)
    )
    entry = JournalEntry.objects.latest("pk")
    other = api("outsider")

    assert other.get("/api/v1/journal-entries/").json()["results"] == []
    assert other.get(f"/api/v1/journal-entries/{entry.pk}/").status_code == 404
    found = other.post("/api/v1/account-balances/trial-balance/", {"office_id": cast.offices.HW.pk})
    assert found.status_code == 400
    assert other.post("/api/v1/account-balances/trial-balance/").json()["rows"] == []


def test_an_entry_leads_to_its_loan_repayment_and_event(visitor: Any, loan: Loan) -> None:
    entry = JournalEntry.objects.get(event="repayment")

    page = text_of(visitor("he").get(f"/journal-entries/{entry.pk}/"))

    assert f'href="/loans/{loan.pk}/"' in page
    assert f'href="/repayments/{loan.repayments.get().pk}/"' in page
    assert "booked a repayment" in page
    assert "224101 Held for borrowers" in page
    assert page.count("500.00") >= 4


def test_a_nights_entry_leads_to_the_days_of_its_loans(visitor: Any, cast: SimpleNamespace, loan: Loan) -> None:
    day = date(2026, 3, 3)
    (entry,) = ledger.post_totals(
        MoneyEvent.ACCRUAL,
        {(cast.offices.HW.pk, "short_term"): {Kind.INTEREST: Decimal("37.50")}},
        day=day,
        source="accrue/0",
    )

    page = text_of(visitor("he").get(f"/journal-entries/{entry.pk}/"))

    behind = f"/accruals/?date=2026-03-03&amp;office={cast.offices.HW.pk}&amp;family=short_term"
    assert behind in page
    assert visitor("he").get(behind.replace("&amp;", "&")).status_code == 200


def test_a_reversed_entry_and_its_reversal_name_each_other(visitor: Any, loan: Loan) -> None:
    entry = JournalEntry.objects.get(event="repayment")
    reversal = ledger.reverse(entry, value_date=entry.value_date)

    client = visitor("he")

    assert f"Taken back by {reversal}" in text_of(client.get(f"/journal-entries/{entry.pk}/"))
    assert f'href="/journal-entries/{entry.pk}/"' in text_of(client.get(f"/journal-entries/{reversal.pk}/"))


@pytest.mark.parametrize(
    ("query", "events"),
    [
        ("event=repayment", ["repayment"]),
        ("account=224101", ["repayment"]),
        ("account=130302", ["disbursement"]),
        ("booked_from=2026-03-03", ["repayment"]),
        ("booked_until=2026-03-02", ["accrual", "disbursement"]),
        ("q=R1", []),
        ("q=repayment", ["repayment"]),
        ("within=999", []),
    ],
)
def test_the_journal_is_narrowed(api: Any, loan: Loan, query: str, events: list[str]) -> None:
    found = api("he").get(f"/api/v1/journal-entries/?{query}").json()["results"]

    assert [row["event"] for row in found] == events


def test_the_trial_balance_of_an_open_day(visitor: Any, cast: SimpleNamespace, loan: Loan) -> None:
    page = text_of(visitor("he").get("/account-balances/"))

    assert "130302 Loans: short term" in page
    assert "299,500.00" in page  # clearing, after the 500
    assert "Debits equal credits" in page
    assert "The day is open" in page
    assert (
        f"account=130302&amp;booked_from=2026-03-03&amp;booked_until=2026-03-03&amp;within={cast.offices.CD.pk}" in page
    )
    assert "五金城支行" in page


def test_the_trial_balance_of_a_closed_day_and_another_office(visitor: Any, cast: SimpleNamespace, loan: Loan) -> None:
    page = text_of(visitor("feng").get(f"/account-balances/?date=2026-03-02&within={cast.offices.HW.pk}"))
    assert "The day is closed." in page
    assert "300,000.00" in page

    page = text_of(visitor("feng").get(f"/account-balances/?within={cast.offices.JB.pk}"))
    assert "Nothing was booked here up to this day." in page


def test_the_trial_balance_over_the_api(api: Any, loan: Loan) -> None:
    found = api("he").post("/api/v1/account-balances/trial-balance/", {"day": "2026-03-03"}).json()

    assert {row["account"]: (row["opening"], row["debit"], row["credit"], row["closing"]) for row in found["rows"]} == {
        # One night of 300,000.00 at 4.5 % over 360.
        "113201": ("37.50", "0.00", "0.00", "37.50"),
        "130302": ("300000.00", "0.00", "0.00", "300000.00"),
        "224101": ("0.00", "0.00", "500.00", "-500.00"),
        "300101": ("-300000.00", "500.00", "0.00", "-299500.00"),
        "601101": ("-37.50", "0.00", "0.00", "-37.50"),
    }
    assert (found["is_tied"], found["is_closed"]) == (True, False)
    assert found["totals"]["closing_debit"] == found["totals"]["closing_credit"] == "300037.50"


def test_stored_balances_over_the_api(api: Any, cast: SimpleNamespace, loan: Loan) -> None:
    rows = api("he").get(f"/api/v1/account-balances/?date=2026-03-02&within={cast.offices.CD.pk}").json()["results"]

    assert {row["account"]: row["closing"] for row in rows} == {
        "113201": "37.50",
        "130302": "300000.00",
        "300101": "-300000.00",
        "601101": "-37.50",
    }


def test_the_file_for_the_general_ledger_is_the_same_each_time(visitor: Any, api: Any, loan: Loan) -> None:
    day = LedgerDay.objects.get()
    total = AMOUNT + Decimal("37.50")
    page, again = (visitor("feng").get(f"/ledger-days/{day.pk}/file.csv") for _ in range(2))
    over_api = api("feng").get(f"/api/v1/ledger-days/{day.pk}/file/")

    assert page.content == again.content == over_api.content
    assert page.content.decode().splitlines()[-1] == f"T,4,{total},{total},{day.digest}"
    assert page["ETag"] == f'"{day.digest}"'


def test_a_file_that_is_not_what_it_was_is_not_given_out(api: Any, loan: Loan) -> None:
    day = LedgerDay.objects.get()
    JournalEntry.objects.filter(business_date=OPENING).first().lines.filter(debit__gt=0).update(account="130303")  # type: ignore[union-attr]

    assert api("feng").get(f"/api/v1/ledger-days/{day.pk}/file/").status_code == 409


# --- statements


def test_a_statement_on_screen(visitor: Any, loan: Loan) -> None:
    page = text_of(visitor("he").get(f"/loans/{loan.pk}/statement/"))
    assert "Loan statement" in page
    assert "R1" in page
    assert f'href="/journal-entries/{JournalEntry.objects.get(event="repayment").pk}/"' in page
    assert f'href="/loans/{loan.pk}/statement.pdf?start=2026-03-02&amp;end=2026-03-03"' in page

    page = text_of(visitor("lin", "zh-hans").get(f"/loans/{loan.pk}/statement/"))
    assert "贷款对账单" in page
    assert "/journal-entries/" not in page.split("<main", 1)[-1]
    assert f'href="/loans/{loan.pk}/statement/"' in text_of(visitor("lin").get(f"/loans/{loan.pk}/"))


def test_a_statement_of_part_of_the_time(api: Any, loan: Loan) -> None:
    whole = api("he").get(f"/api/v1/loans/{loan.pk}/statement/").json()
    assert [line["event"] for line in whole["lines"]] == ["disbursement", "repayment"]
    assert (whole["opening_balance"], whole["closing_balance"]) == ("0.00", "300000.00")
    assert (whole["paid_out"], whole["closing_held"]) == ("300000.00", "500.00")

    later = api("he").get(f"/api/v1/loans/{loan.pk}/statement/?start=2026-03-03").json()
    assert [line["reference"] for line in later["lines"]] == ["R1"]
    assert (later["opening_balance"], later["opening_held"], later["closing_held"]) == ("300000.00", "0.00", "500.00")

    for query in ("start=yesterday", "start=2026-03-04"):
        assert api("he").get(f"/api/v1/loans/{loan.pk}/statement/?{query}").status_code == 400
    assert api("outsider").get(f"/api/v1/loans/{loan.pk}/statement/").status_code == 404


def test_a_statement_splits_a_repayment_and_ends_at_nothing(cast: SimpleNamespace, api: Any, loan: Loan) -> None:
    first = loan.instalments.get(number=1)
    move_to(first.due_date)
    repayments.book_repayment(
        actor=cast.actor("he"), loan_id=loan.pk, amount=first.principal + first.interest - 500, reference="R2"
    )

    line = api("he").get(f"/api/v1/loans/{loan.pk}/statement/").json()["lines"][-1]

    assert (line["principal"], line["interest"], line["suspense"], line["held"]) == (
        str(-first.principal), str(first.interest), "-500.00", "0.00",
    )  # fmt: skip
    assert line["balance"] == str(AMOUNT - first.principal)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_statement_as_files(visitor: Any, api: Any, loan: Loan, language: str) -> None:
    client = visitor("he", language)
    pdf = client.get(f"/loans/{loan.pk}/statement.pdf")
    assert pdf.content.startswith(b"%PDF-")
    assert pdf["Content-Disposition"] == f'attachment; filename="{loan.number}-2026-03-03.pdf"'

    book = openpyxl.load_workbook(BytesIO(client.get(f"/loans/{loan.pk}/statement.xlsx").content))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[-2][2] == "R1"
    assert rows[-1][3:] == (300000, 0, 0, 0, 0, 500, 300000)
    assert client.get(f"/loans/{loan.pk}/statement.docx").status_code == 404
    assert api("he").get(f"/api/v1/loans/{loan.pk}/statement.pdf").content.startswith(b"%PDF-")


# --- posting rules


def draft(client: APIClient, rules: list[str]) -> Any:
    accounts = [f"{family} {code}" for family, code in SHIPPED.loan_accounts.items()]
    return client.post("/api/v1/posting-rules/", {"loan_accounts": accounts, "rules": rules}, format="json")


def rule_texts() -> list[str]:
    return [" ".join(row) for row in stored_rules(SHIPPED)["rules"]]


def test_the_rules_stand_on_one_screen(visitor: Any, loan: Loan) -> None:
    page = text_of(visitor("he").get("/posting-rules/"))

    assert "In force today: the rules as shipped." in page
    assert page.count("300101 Clearing with the core bank: customer deposits") >= 10
    assert "Loans, by family" in page


def test_a_banks_own_rules_need_two_people_and_then_post(api: Any, cast: SimpleNamespace, loan: Loan) -> None:
    rules = [*rule_texts(), "fee_charged fee supply_chain 113203 601101"]
    drafted = draft(api("qian"), rules)
    assert drafted.status_code == 201, drafted.json()
    url = f"/api/v1/posting-rules/{drafted.json()['id']}"

    assert api("qian").post(f"{url}/submit/").status_code == 200
    assert api("qian").post(f"{url}/activate/").status_code == 403
    assert rules_in_force(date(2026, 3, 3)) is SHIPPED
    assert api("zhou").post(f"{url}/activate/").status_code == 200

    for family, income in (("supply_chain", "601101"), ("short_term", "602101")):
        Loan.objects.filter(pk=loan.pk).update(product_family=family)
        entry = ledger.post(
            MoneyEvent.FEE_CHARGED, Loan.objects.get(pk=loan.pk), {Kind.FEE: Decimal(9)}, value_date=OPENING
        )
        assert entry is not None
        assert entry.rules == "v1"
        assert entry.lines.get(credit__gt=0).account == income
    names = ["policy.draft", "policy.submit", "policy.activate"]
    assert list(Event.objects.filter(name__in=names).order_by("pk").values_list("name", flat=True)) == names


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda rules: rules[1:], "disbursement principal: no rule for every family"),
        (lambda rules: [*rules, "theft fee * 113203 602101"], "no such event"),
        (lambda rules: [*rules, "fee_charged fee * 113203 999999"], "no account 999999"),
        (lambda rules: [*rules, "fee_charged fee * 113203 113203"], "both sides are the same account"),
        (lambda rules: [rule.replace("113202", "113201") for rule in rules], "must be held on an account each"),
    ],
)
def test_rules_that_would_not_do_are_refused(api: Any, cast: SimpleNamespace, change: Any, fault: str) -> None:
    refused = draft(api("qian"), change(rule_texts()))

    assert refused.status_code == 400
    assert fault in str(refused.json())
    assert not PostingRuleSet.objects.exists()


def test_a_draft_is_changed_by_its_drafter_only(api: Any, cast: SimpleNamespace) -> None:
    url = f"/api/v1/posting-rules/{draft(api('qian'), rule_texts()).json()['id']}/"
    more = [*rule_texts(), "waiver fee term 602101 113203"]

    assert api("zhou").patch(url, {"rules": more}, format="json").status_code == 403
    assert api("qian").patch(url, {"rules": more}, format="json").status_code == 200
    assert len(PostingRuleSet.objects.get().values["rules"]) == len(more)
    assert api("he").patch(url, {"rules": more}, format="json").status_code == 403


def test_the_shipped_rules_are_without_fault() -> None:
    assert faults_of(SHIPPED) == []
