"""The pages and the API of what happens after release: what each role sees, and the use cases over HTTP."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from branch.models import ParameterValue
from loans.models import Loan
from postloan.models import CollectionCase, Inspection, Signal, SweepRun, ThresholdSet, WarningCase
from postloan.services import thresholds
from postloan.services.sweep import run_sweep_inline
from tests.postloan.making import close_day, fresh, make_loan, open_on, use_power

JSON = "application/json"


@pytest.fixture(autouse=True)
def no_second_factor(cast: SimpleNamespace) -> None:
    """Zhou is an administrator too; signing in is not what is tested here."""
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))


@pytest.fixture
def loan(cast: SimpleNamespace) -> Loan:
    """One day past due with electricity down by half: a red case with two signals, after one night."""
    open_on(date(2026, 4, 3))
    made = make_loan(cast, 1)
    use_power(made.customer, {f"2025-{m:02d}": "100" for m in range(4, 13)} | {"2026-01": "100", "2026-02": "100"})
    use_power(made.customer, {"2026-03": "50"})
    close_day()
    return made


@pytest.fixture
def case(loan: Loan) -> WarningCase:
    return WarningCase.objects.get()


def signed_in(cast: SimpleNamespace, name: str) -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(getattr(cast, name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def call(cast: SimpleNamespace, name: str, path: str, body: Any = None, method: str = "POST") -> Any:
    return signed_in(cast, name).generic(
        method, f"/api/v1/{path}", json.dumps(body if body is not None else {}), content_type=JSON
    )


LISTS = ("signals", "warning-cases", "inspections", "collection-cases", "threshold-sets", "sweep-runs")


@pytest.mark.parametrize("plural", LISTS)
def test_lists_and_exports_open(cast: SimpleNamespace, loan: Loan, plural: str) -> None:
    zhou = signed_in(cast, "zhou")

    for path in (f"/{plural}/", f"/{plural}/?q=永丰", f"/{plural}/export.csv", f"/{plural}/export.xlsx"):
        assert zhou.get(path).status_code == 200, path
    assert zhou.get(f"/api/v1/{plural}/").status_code == 200


@pytest.mark.parametrize("who", ["lin", "he", "zhou", "feng"])
def test_pages_open_for_those_who_may(cast: SimpleNamespace, loan: Loan, who: str) -> None:
    client = signed_in(cast, who)

    for row, plural in (
        (WarningCase.objects.get(), "warning-cases"),
        (Signal.objects.order_by("pk")[0], "signals"),
        (Inspection.objects.get(), "inspections"),
    ):
        assert client.get(f"/{plural}/{row.pk}/").status_code == 200
        assert client.get(f"/api/v1/{plural}/{row.pk}/").status_code == 200


@pytest.mark.parametrize("plural", ["warning-cases", "signals", "inspections", "collection-cases"])
@pytest.mark.parametrize("who", ["outsider", "wu"])
def test_others_learn_nothing(cast: SimpleNamespace, loan: Loan, who: str, plural: str) -> None:
    CollectionCase.objects.create(
        office=loan.office, number="CC-9", customer=loan.customer, loan=loan, owner=cast.lin, opened_on=date(2026, 4, 4)
    )
    model = {"warning-cases": WarningCase, "signals": Signal, "inspections": Inspection}.get(plural, CollectionCase)
    pk = model._default_manager.order_by("pk")[0].pk

    for path in (f"/{plural}/{pk}/", f"/api/v1/{plural}/{pk}/", f"/api/v1/{plural}/{pk}/events/"):
        answer = signed_in(cast, who).get(path)
        assert answer.status_code in (403, 404)
        assert "永丰" not in answer.content.decode()


def test_the_page_shows_what_moved(cast: SimpleNamespace, loan: Loan, case: WarningCase) -> None:
    page = signed_in(cast, "he").get(f"/warning-cases/{case.pk}/").content.decode()

    assert "−50.0%" in page
    assert "≤ −40.0%" in page
    assert "1 day" in page
    assert "1 of 2 indicators are at orange or red." in page
    assert "electricity_down v0" in page
    assert "Orange from 8 days" in page
    charts = page.count("data-chart ")
    assert charts == 2
    bands = json.loads(page.split('-chart-data" type="application/json">')[1].split("</script>")[0])["bands"]
    assert [band["level"] for band in bands] == ["yellow", "orange", "red"]


def test_a_case_over_the_api(cast: SimpleNamespace, loan: Loan, case: WarningCase) -> None:
    found = signed_in(cast, "feng").get(f"/api/v1/warning-cases/?customer={loan.customer_id}&state=open").json()
    assert [row["id"] for row in found["results"]] == [case.pk]
    path = f"warning-cases/{case.pk}/"

    steps = [
        ("zhou", "assign", {"officer_id": cast.he.pk}, "assigned"),
        ("he", "verify", {}, "verifying"),
        ("he", "findings", {"findings": "主要买家推迟付款"}, "verifying"),
        ("he", "freeze-line", {"facility_id": loan.drawdown.facility_id, "reason": "电量下滑"}, "verifying"),
        ("he", "act", {"action": "每周上门"}, "acting"),
        ("he", "resolve", {"reason": "逾期已还清"}, "closed"),
    ]
    for who, action, body, state in steps:
        answer = call(cast, who, f"{path}{action}/", body)
        assert (answer.status_code, answer.json()["state"]) == (200, state), (action, answer.content.decode())
    assert fresh(loan.drawdown.facility).state == "frozen"
    assert {row["indicator"] for row in answer.json()["signals"]} == {"overdue", "electricity_down"}
    names = [row["name"] for row in signed_in(cast, "feng").get(f"/api/v1/{path}events/").json()["results"]]
    assert names[0] == "warning_case.resolve"
    assert names[-1] == "warning_case.create"


def test_the_case_is_worked_on_its_page(cast: SimpleNamespace, case: WarningCase) -> None:
    zhou, he = signed_in(cast, "zhou"), signed_in(cast, "he")

    def post(client: Client, step: str, **values: Any) -> int:
        body = {"version": fresh(case).version, "idempotency_key": f"k-{step}"} | values
        return client.post(f"/warning-cases/{case.pk}/{step}/", body).status_code

    assert 'name="officer_id"' in zhou.get(f"/warning-cases/{case.pk}/").content.decode()
    assert post(zhou, "assign", officer_id=cast.he.pk) == 302
    assert 'name="action"' not in he.get(f"/warning-cases/{case.pk}/").content.decode()
    assert post(he, "verify") == 302
    assert 'name="action"' in he.get(f"/warning-cases/{case.pk}/").content.decode()
    assert post(he, "act", findings="停单", action="上门") == 302
    assert post(he, "resolve", reason="") == 422
    assert fresh(case).state == "acting"
    assert post(he, "resolve", reason="已补缴") == 302
    assert fresh(case).outcome == "resolved"
    assert "Resolved" in he.get(f"/warning-cases/{case.pk}/").content.decode()


@pytest.mark.parametrize(
    ("who", "action", "body", "status", "problem"),
    [
        ("lin", "assign", {"officer_id": "@he"}, 403, "permission-denied"),
        ("he", "resolve", {"reason": "x"}, 409, "wrong-state"),
        ("zhou", "assign", {"officer_id": "@lin"}, 400, "invalid-input"),
        ("zhou", "assign", {}, 400, "invalid-input"),
        ("zhou", "assign", {"officer_id": "@he", "colour": "red"}, 400, "invalid-input"),
    ],
)
def test_refused_over_the_api(
    cast: SimpleNamespace, case: WarningCase, who: str, action: str, body: dict, status: int, problem: str
) -> None:
    sent = {name: getattr(cast, value[1:]).pk if str(value).startswith("@") else value for name, value in body.items()}
    answer = call(cast, who, f"warning-cases/{case.pk}/{action}/", sent)

    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (status, problem), answer.content.decode()
    assert (fresh(case).state, fresh(case).version) == (case.state, case.version)


def test_an_inspection_over_the_api(cast: SimpleNamespace, loan: Loan) -> None:
    path = f"inspections/{Inspection.objects.get().pk}/"

    assert call(cast, "lin", f"{path}start/").json()["state"] == "in_progress"
    saved = call(cast, "lin", path, {"business_running": False}, method="PATCH")
    assert (saved.status_code, saved.json()["business_running"]) == (200, False)
    missing = call(cast, "lin", f"{path}submit/", {"findings": "停工两周"})
    assert (missing.status_code, list(missing.json()["errors"])) == (400, ["funds_used_as_agreed"])
    handed_in = call(cast, "lin", f"{path}submit/", {"funds_used_as_agreed": True, "findings": "停工两周"})
    assert handed_in.json()["state"] == "submitted"
    assert call(cast, "he", f"{path}send-back/", {"reason": "缺照片"}).json()["return_reason"] == "缺照片"
    assert call(cast, "lin", f"{path}resume/").json()["state"] == "in_progress"
    assert call(cast, "lin", f"{path}submit/").json()["state"] == "submitted"
    assert call(cast, "he", f"{path}accept/").json()["state"] == "accepted"


def test_collection_over_the_api(cast: SimpleNamespace, loan: Loan) -> None:
    opened = call(cast, "he", "collection-cases/", {"loan_id": loan.pk, "note": "三次未接"})
    assert (opened.status_code, opened.json()["state"]) == (201, "open"), opened.content.decode()
    path = f"collection-cases/{opened.json()['id']}/"

    assert call(cast, "he", f"{path}contact/", {"note": "本人接听"}).json()["state"] == "contacting"
    promise = call(cast, "he", f"{path}promise/", {"amount": "500.00", "promised_date": "2026-04-06"})
    assert promise.json()["promised_amount"] == "500.00"
    assert call(cast, "he", f"{path}break-promise/", {"reason": "改口"}).json()["state"] == "broken_promise"
    assert call(cast, "he", f"{path}go-legal/", {"reason": "起诉"}).json()["state"] == "legal"
    refused = call(cast, "he", f"{path}close-paid/", {"reason": "已还"})
    assert (refused.status_code, fresh(CollectionCase.objects.get()).state) == (409, "legal")
    assert signed_in(cast, "he").get(f"/{path}").status_code == 200


def test_thresholds_over_the_api(cast: SimpleNamespace) -> None:
    drafted = call(cast, "zhou", "threshold-sets/", {"indicator": "overdue", "yellow": "2", "orange": "9"})
    assert drafted.status_code == 201, drafted.content.decode()
    assert drafted.json()["values"] == {"yellow": "2", "orange": "9"}
    path = f"threshold-sets/{drafted.json()['id']}/"

    edited = call(cast, "zhou", path, {"orange": "8"}, method="PATCH")
    assert edited.json()["values"] == {"yellow": "2", "orange": "8"}
    bad = call(cast, "zhou", path, {"orange": "1"}, method="PATCH")
    assert bad.status_code == 400
    assert call(cast, "zhou", f"{path}submit/").json()["state"] == "submitted"
    own = call(cast, "zhou", f"{path}activate/")
    assert (own.status_code, own.json()["type"].rsplit("/", 1)[-1]) == (403, "separation-of-duties")
    assert call(cast, "qian", f"{path}activate/").json()["state"] == "active"
    page = signed_in(cast, "he").get(f"/{path}").content.decode()
    assert "Days past due" in page
    assert ThresholdSet.objects.get().active_from_date == date(2026, 3, 2)


def test_thresholds_on_their_page(cast: SimpleNamespace) -> None:
    zhou = signed_in(cast, "zhou")
    body = {"indicator": "electricity_down", "red": "0.5", "months": "3", "idempotency_key": "k1"}

    assert zhou.post("/threshold-sets/create/", body).status_code == 302
    row = ThresholdSet.objects.get()
    assert row.values == {"red": "0.5", "months": 3, "fresh_months": 3}
    assert zhou.get(f"/threshold-sets/{row.pk}/update/").status_code == 200
    wrong = zhou.post("/threshold-sets/create/", body | {"yellow": "0.6", "idempotency_key": "k2"})
    assert wrong.status_code == 400
    assert ThresholdSet.objects.count() == 1


def test_closing_a_day_over_the_api(cast: SimpleNamespace) -> None:
    make_loan(cast, 1)
    answer = call(cast, "zhou", "business-days/2026-03-02/close/")

    assert answer.status_code == 202, answer.content.decode()
    run = answer.json()
    assert (run["state"], run["business_date"], len(run["steps"])) == ("running", "2026-03-02", 14)
    page = signed_in(cast, "zhou").get(f"/sweep-runs/{run['id']}/").content.decode()
    assert 'hx-trigger="every 2s"' in page

    run_sweep_inline(run["id"])
    watched = signed_in(cast, "zhou").get(f"/api/v1/sweep-runs/{run['id']}/").json()
    assert watched["state"] == "done"
    assert {step["name"]: step["rows"] for step in watched["steps"]}["accrue"] == 1
    assert "every 2s" not in signed_in(cast, "zhou").get(f"/sweep-runs/{run['id']}/").content.decode()
    assert call(cast, "zhou", "business-days/2026-03-02/close/").json()["id"] == run["id"]


@pytest.mark.parametrize(
    ("who", "day", "status"),
    [
        ("he", "2026-03-02", 403),
        ("lin", "2026-03-02", 403),
        ("outsider", "2026-03-02", 403),
        ("zhou", "2026-03-03", 400),
        ("zhou", "yesterday", 400),
    ],
)
def test_closing_a_day_refused(cast: SimpleNamespace, who: str, day: str, status: int) -> None:
    assert call(cast, who, f"business-days/{day}/close/").status_code == status
    assert not SweepRun.objects.exists()


def test_closing_a_day_on_the_page(cast: SimpleNamespace) -> None:
    zhou = signed_in(cast, "zhou")

    assert 'value="2026-03-02"' in zhou.get("/sweep-runs/close/").content.decode()
    answer = zhou.post("/sweep-runs/close/", {"date": "2026-03-02", "idempotency_key": "k1"})

    run = SweepRun.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/sweep-runs/{run.pk}/")


def test_customer_and_loan_show_what_came_after(cast: SimpleNamespace, loan: Loan, case: WarningCase) -> None:
    he = signed_in(cast, "he")

    assert case.number in he.get(f"/customers/{loan.customer_id}/").content.decode()
    page = he.get(f"/loans/{loan.pk}/").content.decode()
    assert "Class and days past due" in page
    assert "2026-04-03" in page


def test_a_retired_rule_still_draws_its_signals(cast: SimpleNamespace) -> None:
    """Signals keep the version they rest on, and their page the bands of that version."""
    row = thresholds.draft_threshold_set(actor=cast.actor("zhou"), indicator="overdue", values={"red": "1"})
    thresholds.submit_threshold_set(actor=cast.actor("zhou"), threshold_set_id=row.pk)
    thresholds.activate_threshold_set(actor=cast.actor("qian"), threshold_set_id=row.pk)
    open_on(date(2026, 4, 3))
    make_loan(cast, 1)
    close_day()

    page = signed_in(cast, "he").get(f"/signals/{Signal.objects.get().pk}/").content.decode()
    chart = json.loads(page.split('-chart-data" type="application/json">')[1].split("</script>")[0])
    assert [band["level"] for band in chart["bands"]] == ["red"]
