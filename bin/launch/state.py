"""What an instance remembers between runs: passwords, keys, ports. One file that only its owner can read."""

import base64
import json
import os
import secrets

from launch.folders import Folders

SECRETS = ("SECRET_KEY", "LOOKUP_KEY", "CORE_BANK_TOKEN", "PROVIDER_TOKEN", "postgres", "owner", "app", "valkey")


class State:
    """A small dictionary on disk, mode 600."""

    def __init__(self, folders: Folders) -> None:
        self._file = folders.state_file
        self.values: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def fill_secrets(self) -> None:
        """Make each secret once."""
        for name in SECRETS:
            self.values.setdefault(name, secrets.token_urlsafe(48))
        self.values.setdefault("FIELD_KEYS", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
        self.save()

    def port(self, name: str) -> int | None:
        """The port a server had last time."""
        return int(self.values[f"{name}_port"]) if f"{name}_port" in self.values else None

    def set(self, name: str, value: object) -> None:
        self.values[name] = str(value)
        self.save()

    def save(self) -> None:
        write_private(self._file, json.dumps(self.values, indent=1))


def write_private(file: os.PathLike[str], text: str) -> None:
    """Replace a file by one that only its owner can read, never showing a half-written one."""
    new = f"{os.fspath(file)}.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(text)
    os.replace(new, file)
