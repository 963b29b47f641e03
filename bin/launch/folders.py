"""Where things are: the checkout, its virtual environment, and the run data of one instance."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


@dataclass(frozen=True)
class Folders:
    """Run data of one instance: `var/` for the demo, `var/test/` for the tests."""

    name: str
    run_data: Path

    @property
    def state_file(self) -> Path:
        return self.run_data / "state.json"

    @property
    def env_file(self) -> Path:
        return self.run_data / f"{self.name}.env"

    @property
    def pids(self) -> Path:
        return self.run_data / "run"

    @property
    def logs(self) -> Path:
        return self.run_data / "log"

    @property
    def postgres(self) -> Path:
        return self.run_data / "postgres"

    @property
    def valkey(self) -> Path:
        return self.run_data / "valkey"

    @property
    def bank(self) -> Path:
        return self.run_data / "bank"

    @property
    def files(self) -> Path:
        return self.run_data / "files"

    @property
    def key(self) -> str:
        """Tells this instance from those of other checkouts on the same machine."""
        return f"{self.name}-{hashlib.sha256(str(self.run_data).encode()).hexdigest()[:8]}"

    def make(self) -> None:
        """Create the folders. Others may pass through `var`, because the database runs as another user."""
        for folder in (ROOT / "var", self.run_data):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711)
        for folder in (self.pids, self.logs, self.valkey, self.bank, self.files):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)

    def forget(self) -> None:
        """Delete the data of this instance, and nothing else that lies in its folder."""
        for folder in (self.postgres, self.valkey, self.bank, self.files, self.logs):
            if folder.exists():
                shutil.rmtree(folder)
        for file in (self.state_file, self.env_file):
            file.unlink(missing_ok=True)


DEMO = Folders("demo", ROOT / "var")
TEST = Folders("test", ROOT / "var" / "test")
