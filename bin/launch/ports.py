"""Free TCP ports on this machine."""

import socket


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there."""
    # Connecting tells too: macOS lets two servers share a port by different addresses.
    local = "127.0.0.1" if host in ("0.0.0.0", "localhost", "::") else host
    with socket.socket() as probe:
        probe.settimeout(0.5)
        if probe.connect_ex((local, port)) == 0:
            return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def any_free() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_or_other(wanted: int | None) -> int:
    """The port used last time if it is still free, else another."""
    return wanted if wanted and is_free(wanted) else any_free()


def next_free(wanted: int, host: str) -> int:
    """The first free port from `wanted` upward."""
    for port in range(wanted, min(wanted + 50, 65536)):
        if is_free(port, host):
            return port
    return any_free()
