"""One call to a provider of outside records: what to ask, within which bounds, and what the answer holds."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import requests
import urllib3
from django.conf import settings

from branch.domain.text import can_be_kept
from customers.domain.json_paths import dig, rows_at
from customers.models import Feed, PullCall

#: To connect, and between two pieces of an answer; then for the whole of its body.
TIMEOUT_SECONDS = (5, 20)
LONGEST_SECONDS = 20.0
MOST_BYTES = 5_000_000
BLOCK_BYTES = 64 * 1024


class ProviderError(Exception):
    """The call brought nothing. `again`: it may do better later; else it is a dead letter."""

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again


@dataclass(frozen=True)
class Answer:
    """The rows of a page, and where the next one is: empty for none, a number as text for a page number."""

    rows: list[Mapping[str, Any]]
    next_address: str = ""


def origin_of(url: str) -> str:
    """Scheme, host and port: what a bank allows to be asked. Empty for what is no plain HTTP address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        return ""
    return f"{parts.scheme}://{parts.hostname}" + (f":{port}" if port else "")


def is_allowed(url: str) -> bool:
    """Whether the installation lets this address be asked (PROVIDER_ORIGINS): nothing else is, whatever it leads to."""
    return origin_of(url) in settings.PROVIDER_ORIGINS


def ask(feed: Feed, call: PullCall, month: str) -> Answer:
    """Make the call. Raises ProviderError; takes no longer and holds no more than the bounds above."""
    url = call.address or feed.url.replace("{uscc}", quote(_uscc(call), safe="")).replace("{month}", month)
    if not is_allowed(url):
        raise ProviderError("the address is not among those this installation may ask", again=False)
    numbered = feed.paging == Feed.Paging.NUMBER
    answer = _get(feed, url, {feed.paging_name: str(call.page)} if numbered else {})
    rows = rows_at(answer, feed.rows_path)
    if rows is None:
        raise ProviderError(f"there are no rows at {feed.rows_path or 'the top'}", again=False)
    if numbered:
        return Answer(rows, str(call.page + 1) if rows else "")
    following = dig(answer, feed.paging_name) if feed.paging == Feed.Paging.NEXT else None
    return Answer(rows, urljoin(url, following) if isinstance(following, str) and following else "")


def _uscc(call: PullCall) -> str:
    return (call.customer.uscc or "") if call.customer else ""


def _get(feed: Feed, url: str, parameters: Mapping[str, str]) -> Any:
    # Packed bytes say nothing of how many they become.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if feed.auth == Feed.Auth.BEARER:
        headers["Authorization"] = f"Bearer {feed.secret}"
    elif feed.auth == Feed.Auth.HEADER:
        headers[feed.header_name] = feed.secret
    with requests.Session() as session:
        # What the surroundings say of proxies and passwords is not what the bank has settled for its providers.
        session.trust_env = False
        try:
            with session.get(
                url, params=parameters, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
            ) as response:
                if response.status_code != 200:
                    raise ProviderError(f"HTTP {response.status_code}", again=_may_pass(response.status_code))
                return _read(_body(response))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise ProviderError(type(error).__name__, again=True) from error
        except (ValueError, RecursionError) as error:
            raise ProviderError("the answer is no JSON", again=False) from error


def _read(body: bytes) -> Any:
    """What the answer says, where it can be kept. Raises ValueError for numbers and letters JSON doesn't have."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    answer = json.loads(body, parse_constant=refuse)
    if not can_be_kept(answer):
        raise ValueError("the answer holds a letter that is none")
    return answer


def _may_pass(status: int) -> bool:
    return status in (408, 425, 429) or status >= 500


def _body(response: requests.Response) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ProviderError("the answer is packed", again=False)
    body, end = bytearray(), time.monotonic() + LONGEST_SECONDS
    while block := response.raw.read1(BLOCK_BYTES):
        body += block
        if len(body) > MOST_BYTES:
            raise ProviderError(f"the answer is longer than {MOST_BYTES} bytes", again=False)
        if time.monotonic() > end:
            raise ProviderError(f"the answer takes longer than {LONGEST_SECONDS:.0f} seconds", again=True)
    return bytes(body)
