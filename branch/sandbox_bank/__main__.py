"""`python -m branch.sandbox_bank --port 8700 --data var/bank`, with the bearer token in CORE_BANK_TOKEN."""

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

from .books import Books
from .server import BankServer


def main() -> int:
    """Serve until SIGTERM or SIGINT. Exit 0 after an orderly stop, 1 if the port is taken, 2 for no token."""
    options = _options()
    token = os.environ.get("CORE_BANK_TOKEN", "")
    if not token:
        print("CORE_BANK_TOKEN is not set: the bearer token callers must send.", file=sys.stderr)
        return 2
    # Blocked before any thread starts, so that only sigwait below sees them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    books = Books(options.data, time.time)
    try:
        server = BankServer((options.host, options.port), books, token)
    except OSError as error:
        books.close()
        print(f"Cannot listen on {options.host}:{options.port}: {error.strerror}.", file=sys.stderr)
        return 1
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"Sandbox core bank: http://{options.host}:{server.server_port}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.stop()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="branch.sandbox_bank", description="A core bank for trials.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 picks a free one and prints it")
    parser.add_argument("--data", type=Path, required=True, help="folder of the bank's own books")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
