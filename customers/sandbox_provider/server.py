"""The provider's HTTP face: one path for each kind of record, in pages, and failing on demand.

GET /tax, /grid, /courts, /registry, /bureau with ?uscc=…&until=2026-02. `POST /fail?times=3&status=503` has the next
calls fail; status 0 answers what is no JSON.
"""

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

PAGE_ROWS = 6
MONTHS = 12


class ProviderServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self.token = token.encode()
        self.failing: list[int] = []
        self.lock = threading.Lock()
        super().__init__(address, Handler)

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    def next_failure(self) -> int | None:
        with self.lock:
            return self.failing.pop(0) if self.failing else None


class Handler(BaseHTTPRequestHandler):
    server: ProviderServer
    server_version, sys_version = "sandbox-provider", ""

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if not self._is_known() or parts.path != "/fail":
            return self._send(404, {"error": "no such address"})
        with self.server.lock:
            self.server.failing += [int(query.get("status", "503"))] * int(query.get("times", "1"))
        return self._send(200, {"failing": len(self.server.failing)})

    def do_GET(self) -> None:
        if not self._is_known():
            return self._send(401, {"error": "unknown token"})
        failure = self.server.next_failure()
        if failure is not None:
            return self._send(failure or 200, {"error": "as asked for"} if failure else "<html>no JSON</html>")
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        make = KINDS.get(parts.path)
        if make is None or not query.get("uscc"):
            return self._send(404, {"error": "no such address"})
        rows = make(query["uscc"], months_up_to(query.get("until", "2026-02")))
        page = max(int(query.get("page", "1")), 1)
        body: dict[str, Any] = {"data": {"rows": rows[(page - 1) * PAGE_ROWS : page * PAGE_ROWS], "next": None}}
        if page * PAGE_ROWS < len(rows):
            body["data"]["next"] = f"{parts.path}?{urlencode(query | {'page': page + 1})}"
        return self._send(200, body)

    def _is_known(self) -> bool:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        return hmac.compare_digest(given, self.server.token)

    def _send(self, status: int, body: Any) -> None:
        content = (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def months_up_to(until: str) -> list[str]:
    """The twelve months that end with `until`, oldest first."""
    year, month = map(int, until.split("-")[:2])
    last = year * 12 + month - 1
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in range(last - MONTHS + 1, last + 1)]


def share(uscc: str, *what: str) -> float:
    """A number from 0 to 1 that is always the same for a firm and what is asked."""
    digest = hashlib.sha256("|".join((uscc, *what)).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def tax(uscc: str, months: list[str]) -> list[dict[str, Any]]:
    size = 200_000 + 800_000 * share(uscc, "size")
    sales = {month: round(size * (0.8 + 0.4 * share(uscc, "tax", month)), 2) for month in months}
    return [
        {
            "period": month,
            "sales": {"declared": amount},
            "paid": round(amount * 0.03, 2),
            "insured": 5 + int(size // 40_000),
        }
        for month, amount in sales.items()
    ]


def grid(uscc: str, months: list[str]) -> list[dict[str, Any]]:
    size = 5_000 + 30_000 * share(uscc, "power")
    return [
        {"meter": f"E{uscc[-6:]}{number}", "kind": "electricity_kwh", "month": month,
         "kwh": round(size * (0.8 + 0.4 * share(uscc, "grid", month, str(number))), 1)}
        for month in months for number in (1, 2)
    ]  # fmt: skip


def courts(uscc: str, months: list[str]) -> list[dict[str, Any]]:
    if share(uscc, "sued") < 0.7:
        return []
    return [{"kind": "lawsuits", "date": f"{months[-2]}-12", "number": f"({months[-2][:4]})浙0212民初{uscc[-4:]}号",
             "amount": round(10_000 + 200_000 * share(uscc, "claim"), 2), "matter": "买卖合同纠纷"}]  # fmt: skip


def registry(uscc: str, months: list[str]) -> list[dict[str, Any]]:
    if share(uscc, "changed") < 0.6:
        return []
    return [{"kind": "registry_changes", "date": f"{months[-3]}-05", "number": "", "matter": "注册地址变更"}]


def bureau(uscc: str, months: list[str]) -> list[dict[str, Any]]:
    debt = 1_000_000 * share(uscc, "debt")
    return [{"period": month, "debts": round(debt, 2)} for month in months[-3:]]


KINDS = {"/tax": tax, "/grid": grid, "/courts": courts, "/registry": registry, "/bureau": bureau}
