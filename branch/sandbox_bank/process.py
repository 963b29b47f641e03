"""Run the sandbox bank as a child process: for tests and trial runs that must start, kill and restart it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

ROOT = Path(__file__).resolve().parents[2]


class BankProcess:
    """A bank over `folder`; a restart keeps books and port. As a context manager it leaves nothing behind."""

    def __init__(
        self, folder: Path, token: str = "sandbox", host: str = "127.0.0.1", log: IO[str] | None = None
    ) -> None:
        self.folder, self.token, self.host, self._log = folder, token, host, log
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not running"
        return self._process.pid

    def start(self) -> None:
        """Returns when the bank listens. Raises RuntimeError when it ends instead."""
        command = [sys.executable, "-m", "branch.sandbox_bank", "--host", self.host, "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*command, "--data", str(self.folder)],
            cwd=ROOT,
            env={**os.environ, "CORE_BANK_TOKEN": self.token},
            stdout=subprocess.PIPE,
            stderr=self._log or subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        announced = self._process.stdout.readline()
        if not announced:
            raise RuntimeError(f"The sandbox bank ended with exit code {self._process.wait()}.")
        self.port = int(announced.rsplit(":", 1)[1])

    def kill(self) -> None:
        """SIGKILL: no last words."""
        self._signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code, 0 after an orderly stop."""
        self._signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """The exit code of a process that is ending, or has ended."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.stdout:
            process.stdout.close()
        return process.wait(timeout=10)

    def _signal(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
