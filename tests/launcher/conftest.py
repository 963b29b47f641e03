"""An instance in a temporary folder, so that no test touches the data or the processes of a real one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from launch import processes
from launch.folders import Folders


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Folders]:
    instance = Folders("demo", tmp_path / "var")
    instance.make()
    yield instance
    processes.stop_all(processes.remembered(instance))
