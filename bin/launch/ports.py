"""Free TCP ports on this machine."""

import errno
import socket

from launch.console import Failure


def refusal(port: int, host: str = "127.0.0.1") -> str:
    """Why a server could not listen there; empty when it could. Raises Failure when the host is not ours."""
    # Connecting tells too: macOS lets two servers share a port by different addresses.
    local = "127.0.0.1" if host in ("0.0.0.0", "localhost", "::") else host
    with socket.socket() as probe:
        probe.settimeout(0.5)
        if probe.connect_ex((local, port)) == 0:
            return "is taken"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise Failure(f"{host} is not an address of this machine.") from None
            return "is for administrators only" if error.errno == errno.EACCES else "is taken"
    return ""


def any_free() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_or_other(wanted: int | None) -> int:
    """The port used last time if it is still free, else another."""
    return wanted if wanted and not refusal(wanted) else any_free()


def next_free(wanted: int, host: str) -> int:
    """The first free port from `wanted` upward."""
    return next((port for port in range(wanted, min(wanted + 50, 65536)) if not refusal(port, host)), any_free())
