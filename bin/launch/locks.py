"""One launcher at a time per instance."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator

from launch.console import Failure
from launch.folders import Folders


@contextlib.contextmanager
def only_one(folders: Folders, purpose: str) -> Iterator[Callable[[str], None]]:
    """Hold the lock of this purpose; the system lets go of it however we end. Yields a way to add to our name.

    Raises Failure, with what the holder said, when another process holds it.
    """
    folders.make()
    with (folders.run_data / f"{purpose}.lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise Failure(f"bin/{purpose} is already running in this checkout: {handle.read()}.") from None

        def tell(text: str) -> None:
            handle.truncate(0)
            handle.write(f"process {os.getpid()}{text}")
            handle.flush()

        tell("")
        yield tell


@contextlib.contextmanager
def turn(folders: Folders, purpose: str) -> Iterator[None]:
    """Wait for the lock of this purpose, and hold it for a moment."""
    with (folders.run_data / f"{purpose}.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
