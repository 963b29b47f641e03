"""Providers that answer what no provider should: each call ends, with a word of why, and holds up no other."""

from __future__ import annotations

import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from branch.domain.actor import system_actor
from customers.models import PullCall, RecordImport, RecordSource
from customers.services import feeds, providers, pulls
from tests.customers.making import make_customer
from tests.customers.test_pulls import go_on

ROW = '{"uscc": "X", "metric": "tax_paid", "month": "2026-01", "value": 1}'


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self.asked: list[str] = []
        self.answer: Any = None
        super().__init__(*arguments)


class Handler(BaseHTTPRequestHandler):
    """Answers by `server.answer`: status, headers, body, and seconds between two bytes."""

    server: Any

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, headers, body, pause = self.server.answer(self.path)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for byte in body if pause else ():
                time.sleep(pause)
                self.wfile.write(bytes([byte]))
            self.wfile.write(b"" if pause else body)
        except OSError:
            pass

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def provider(settings):
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.PROVIDER_ORIGINS = [f"http://127.0.0.1:{server.server_port}"]
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def pull(provider, cast, actor):
    """One round of a feed whose provider answers like this; its run, as far as it came."""
    source = RecordSource.objects.create(office=cast.offices.HO, code="odd", name="odd")
    make_customer(actor("lin"))

    def pull(body, *, status=200, headers=None, pause=0.0, **changes):
        values: dict[str, Any] = {
            "name": "odd",
            "source_id": source.pk,
            "layout": "readings",
            "url": f"http://127.0.0.1:{provider.server_port}/rows",
            "auth": "none",
            "rows_path": "rows",
            "paging": "none",
            "columns": {"firm": "uscc", "metric": "metric", "period_month": "month", "value": "value"},
        }
        given = body if callable(body) else lambda _path: body
        provider.answer = lambda path: (status, headers or {}, _bytes(given(path)), pause)
        feed = feeds.create_feed(
            actor=actor("zhou"),
            **values | changes,
        )
        return go_on(pulls.begin_pull(actor=system_actor(), feed_id=feed.pk))

    return pull


def _bytes(body) -> bytes:
    return body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()


def dead_letters(run):
    return list(run.calls.filter(state="dead").values_list("last_error", flat=True))


@pytest.mark.parametrize(
    "body",
    [
        '{"rows": [{"value": NaN}]}',
        '{"rows": [{"value": "a\\u0000b"}]}',
        '{"rows": [{"value": "\\ud800"}]}',
        '{"rows": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "[" * 100_000,
        '{"rows": [{"value": ' + "9" * 10_000 + "}]}",
    ],
    ids=["nan", "nul", "surrogate", "deep", "deep and cut", "long number"],
)
def test_an_answer_that_cannot_be_kept_is_a_dead_letter(pull, body):
    run = pull(body)
    assert (run.state, len(dead_letters(run))) == ("done", 1)


def test_an_answer_that_drips_is_cut_off(pull, monkeypatch):
    monkeypatch.setattr(providers, "LONGEST_SECONDS", 0.5)
    begun = time.monotonic()
    run = pull('{"rows": []}' + " " * 600, pause=0.02)
    assert time.monotonic() - begun < 10
    assert PullCall.objects.get(run=run).last_error != ""


def test_a_packed_answer_is_not_unpacked(pull):
    packed = gzip.compress(b" " * 50_000_000 + b'{"rows": []}')
    run = pull(packed, headers={"Content-Encoding": "gzip"})
    assert dead_letters(run) == ["the answer is packed"]


@pytest.mark.parametrize("paging", ["number", "next"])
def test_a_page_that_repeats_itself_is_the_last(pull, provider, paging):
    run = pull(
        '{"rows": [' + ROW + '], "next": "/rows"}', paging=paging, paging_name={"number": "page"}.get(paging, "next")
    )
    assert run.state == "done"
    assert len(provider.asked) == 2
    assert RecordImport.objects.get().counts["rows"] == 1


def test_pages_that_never_end_have_an_end(pull, provider, monkeypatch):
    monkeypatch.setattr(pulls, "MOST_PAGES", 5)
    run = pull(
        lambda path: {"rows": [json.loads(ROW) | {"value": len(provider.asked)}]}, paging="number", paging_name="p"
    )
    assert (run.state, len(provider.asked)) == ("done", 5)


def test_a_redirect_is_not_followed(pull, provider):
    run = pull(b"", status=302, headers={"Location": "http://127.0.0.1:1/"})
    assert (dead_letters(run), len(provider.asked)) == (["HTTP 302"], 1)


def test_a_source_put_out_of_use_ends_its_round(pull, monkeypatch):

    def ask_and_close(*arguments):
        RecordSource.objects.update(is_active=False)
        return providers.ask(*arguments)

    monkeypatch.setattr(pulls, "ask", ask_and_close)
    run = pull('{"rows": [' + ROW + "]}")
    assert (run.state, run.record_import_id, len(dead_letters(run))) == ("done", None, 1)
