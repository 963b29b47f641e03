"""One launcher at a time per instance."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from launch.console import Failure
from launch.folders import Folders


@contextlib.contextmanager
def only_one(folders: Folders, purpose: str) -> Iterator[None]:
    """Hold the lock of this purpose; the system lets go of it however we end.

    Raises Failure when another process holds it.
    """
    folders.make()
    file = folders.run_data / f"{purpose}.lock"
    with file.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            raise Failure(f"bin/{purpose} is already running in this checkout (process {holder}).") from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield
