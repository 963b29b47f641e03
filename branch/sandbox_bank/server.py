"""The bank's HTTP face: authentication, limits, routes, and answers late, wrong or missing on demand."""

import hmac
import json
import re
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from . import shapes
from .books import Books, Conflict, Received
from .shapes import BadRequest

MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_PAGE = 1000
IDLE_SECONDS = 30
DRAIN_SECONDS = 3
_LOOK_AGAIN_SECONDS = 0.2


@dataclass(frozen=True)
class Reply:
    """`late`: seconds the answer is held back, after which `renew` may look its body up again. `silent`: the
    connection is closed without an answer."""

    status: int
    body: dict[str, Any]
    late: float = 0.0
    silent: bool = False
    renew: Callable[[], dict[str, Any] | None] | None = None


class Problem(Exception):
    """Refused before it got to the books."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(code)
        self.reply = _refused(status, code, reason)


def _refused(status: int, code: str, reason: str, **more: str) -> Reply:
    return Reply(status, {"status": "refused", "code": code, "reason": reason} | more)


class BankServer(ThreadingHTTPServer):
    """One thread per connection; the books take one payment at a time."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], books: Books, token: str) -> None:
        self.books, self.token = books, token.encode()
        self.stopping = threading.Event()
        self._busy, self._idle = 0, threading.Condition()
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        # HTTPServer looks the host name up here, which can take seconds on a machine without a resolver.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def began(self) -> None:
        with self._idle:
            self._busy += 1

    def ended(self) -> None:
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()

    def stop(self) -> None:
        """Take no more connections, let answers under way finish (held ones end early), close the books."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, timeout=DRAIN_SECONDS)
        self.books.close()


class Handler(BaseHTTPRequestHandler):
    server: BankServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "sandbox-core-bank", ""
    timeout = IDLE_SECONDS
    wbufsize = -1  # one packet per answer
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def log_message(self, format: str, *args: Any) -> None:
        pass  # the base class prints whole paths, and paths carry account numbers

    def _serve(self, method: str) -> None:
        began_at = time.monotonic()
        self.server.began()
        try:
            label, reply = self._reply(method)
            self._hold(reply.late)
            if reply.silent:
                self.close_connection = True
            else:
                self._send(reply)
            outcome = "no answer" if reply.silent else reply.status
            took_ms = (time.monotonic() - began_at) * 1000
            print(f"{method} {label} {outcome} {took_ms:.0f} ms", file=sys.stderr, flush=True)
        finally:
            self.server.ended()

    def _reply(self, method: str) -> tuple[str, Reply]:
        """The name of the route for the log, and what to answer."""
        label = "?"
        try:
            route, groups, query = _find(method, self.path)
            label = route.label
            if not route.open:
                self._authenticate()
            return label, route.act(Call(self.server.books, groups, query, self._body(method)))
        except Problem as problem:
            self.close_connection = True  # what is left of the body was not read
            return label, problem.reply
        except BadRequest as bad:
            return label, _refused(422, "invalid", bad.reason, field=bad.field)
        except Conflict:
            return label, _refused(409, "reference_conflict", "The reference stands for another order.")
        except (ConnectionError, TimeoutError):
            raise
        except Exception:
            traceback.print_exc()
            return label, Reply(500, {"status": "error", "code": "internal"})

    def _send(self, reply: Reply) -> None:
        body = (reply.renew() if reply.renew else None) or reply.body
        payload = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(payload)
        self.wfile.flush()

    def _hold(self, seconds: float) -> None:
        """Wait, but not for a caller who has hung up, and not past the end of the process."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._hung_up():
            if self.server.stopping.wait(min(left, _LOOK_AGAIN_SECONDS)):
                return

    def _hung_up(self) -> bool:
        try:
            self.connection.setblocking(False)
            return not self.connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.connection.settimeout(self.timeout)

    def _authenticate(self) -> None:
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode("latin-1", "replace"), b"Bearer " + self.server.token):
            raise Problem(401, "unauthorized", "The bearer token is missing or wrong.")

    def _body(self, method: str) -> object:
        length = self.headers.get("Content-Length", "")
        if method != "POST":
            # A body nobody reads would be taken for the next request.
            self.close_connection |= bool(length or self.headers.get("Transfer-Encoding"))
            return None
        if not re.fullmatch(r"[0-9]{1,10}", length) or self.headers.get("Transfer-Encoding"):
            raise Problem(411, "length_required", "Send a Content-Length and no Transfer-Encoding.")
        if int(length) > MAX_BODY_BYTES:
            raise Problem(413, "too_large", f"The body is larger than {MAX_BODY_BYTES} bytes.")
        raw = self.rfile.read(int(length))
        if len(raw) < int(length):
            raise Problem(400, "incomplete", "The body ended early.")
        try:
            return json.loads(raw.decode())
        except (ValueError, RecursionError):
            raise Problem(400, "not_json", "The body is not JSON in UTF-8.") from None


# --- what each route does --------------------------------------------------------------------------------
@dataclass(frozen=True)
class Call:
    books: Books
    groups: tuple[str, ...]
    query: dict[str, list[str]]
    body: object

    def parameter(self, name: str, default: str) -> str:
        return self.query.get(name, [default])[-1]

    def whole(self, name: str, default: int, most: int) -> int:
        text = self.parameter(name, str(default))
        if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) > most:
            raise BadRequest(name, f"must be a whole number up to {most}")
        return int(text)


def _answer(received: Received, missing: Reply) -> Reply:
    """The answer the books gave, in the manner a behaviour asked for."""
    how = received.answer
    match how.name:
        case "timeout" | "drop_after_booking":
            return Reply(0, {}, late=how.seconds, silent=True)
        case "error_500":
            return Reply(500, {"status": "error", "code": "internal"}, late=how.seconds)
    if received.view is None:
        return missing
    return Reply(200, received.view, late=how.seconds)


_NOT_FOUND = Reply(404, {"status": "not_found"})


def _pay(call: Call, order: shapes.Order) -> Reply:
    reply = _answer(call.books.receive(order), _NOT_FOUND)
    # By the time a delayed answer leaves, the payment has settled.
    return replace(reply, renew=lambda: call.books.payment(order.reference)) if reply.late else reply


def _payout(call: Call) -> Reply:
    return _pay(call, shapes.payout(call.body))


def _collection(call: Call) -> Reply:
    return _pay(call, shapes.collection(call.body))


def _credit(call: Call) -> Reply:
    return _pay(call, shapes.credit(call.groups[0], call.body))


def _query(call: Call) -> Reply:
    return _answer(call.books.query(call.groups[0]), _NOT_FOUND)


def _file(call: Call) -> Reply:
    return _answer(call.books.receive_file(shapes.collection_file(call.body)), _NOT_FOUND)


def _file_result(call: Call) -> Reply:
    result = call.books.file_result(call.groups[0])
    if result is None:
        return _NOT_FOUND
    return Reply(200 if "items" in result else 202, result)


def _account(call: Call) -> Reply:
    return Reply(200, call.books.account(shapes.account_number(call.groups[0])))


def _flows(call: Call) -> Reply:
    number = shapes.account_number(call.groups[0])
    first = shapes.iso_date("from", call.parameter("from", "0001-01-01"))
    last = shapes.iso_date("to", call.parameter("to", "9999-12-31"))
    limit = call.whole("limit", 100, MAX_PAGE)
    flows = call.books.flows(number, first, last, call.whole("after_id", 0, 2**62), limit + 1)
    page = flows[:limit]
    more = page[-1]["id"] if page and len(flows) > limit else None
    return Reply(200, {"account": number, "flows": page, "next_after_id": more})


def _add_behaviour(call: Call) -> Reply:
    return Reply(201, {"id": call.books.add_behaviour(call.body)})


@dataclass(frozen=True)
class Route:
    """`label` stands for the path in the log: it carries no account number."""

    method: str
    label: str
    act: Callable[[Call], Reply]
    open: bool = False

    @property
    def pattern(self) -> str:
        return re.sub(r"\{\w+\}", "([^/]+)", self.label)


ROUTES = [
    Route("GET", "/healthz", lambda call: Reply(200, {"status": "ok"}), open=True),
    Route("POST", "/payouts", _payout),
    Route("POST", "/collections", _collection),
    Route("GET", "/payments/{reference}", _query),
    Route("POST", "/collection-files", _file),
    Route("GET", "/collection-files/{reference}/result", _file_result),
    Route("GET", "/accounts/{number}", _account),
    Route("POST", "/accounts/{number}/credits", _credit),
    Route("GET", "/accounts/{number}/flows", _flows),
    Route("GET", "/behaviours", lambda call: Reply(200, {"behaviours": call.books.behaviours()})),
    Route("POST", "/behaviours", _add_behaviour),
    Route("DELETE", "/behaviours", lambda call: Reply(200, {"deleted": call.books.clear_behaviours()})),
]


def _find(method: str, target: str) -> tuple[Route, tuple[str, ...], dict[str, list[str]]]:
    """The route, the variable parts of its path, and the query. Raises Problem."""
    try:
        url = urlsplit(target)
        query = parse_qs(url.query)
    except ValueError:
        raise Problem(400, "bad_path", "The path cannot be read.") from None
    found = [(route, match) for route in ROUTES if (match := re.fullmatch(route.pattern, url.path))]
    for route, match in found:
        if route.method == method:
            return route, tuple(unquote(group) for group in match.groups()), query
    if found:
        raise Problem(405, "method_not_allowed", "The path is known, the method is not.")
    raise Problem(404, "no_such_path", "There is nothing at this path.")
