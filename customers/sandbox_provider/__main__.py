"""`python -m customers.sandbox_provider --port 8701`, with the bearer token in PROVIDER_TOKEN."""

import argparse
import os
import signal
import sys
import threading

from .server import ProviderServer


def main() -> int:
    """Serve until SIGTERM or SIGINT. Exit 1 if the port is taken, 2 for no token."""
    parser = argparse.ArgumentParser(prog="customers.sandbox_provider", description="A data provider for trials.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 picks a free one and prints it")
    options = parser.parse_args()
    token = os.environ.get("PROVIDER_TOKEN", "")
    if not token:
        print("PROVIDER_TOKEN is not set: the bearer token callers must send.", file=sys.stderr)
        return 2
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        server = ProviderServer((options.host, options.port), token)
    except OSError as error:
        print(f"Cannot listen on {options.host}:{options.port}: {error.strerror}.", file=sys.stderr)
        return 1
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"Sandbox provider: http://{options.host}:{server.server_port}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.shutdown()
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
