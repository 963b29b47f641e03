"""A taken port gets a clear message and a free one."""

import socket
from collections.abc import Iterator

import pytest
from launch import ports
from launch.console import Failure


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_taken_port_is_refused_and_the_next_free_one_found(taken: int):
    assert ports.refusal(taken) == "is taken"
    assert ports.refusal(taken, "0.0.0.0") == "is taken"
    found = ports.next_free(taken, "127.0.0.1")
    assert found != taken
    assert ports.refusal(found) == ""


def test_the_port_of_last_time_is_kept_while_it_is_free(taken: int):
    free = ports.any_free()
    assert ports.free_or_other(free) == free
    assert ports.free_or_other(taken) != taken
    assert ports.free_or_other(None)


def test_an_address_of_another_machine_is_named():
    with pytest.raises(Failure, match=r"192\.0\.2\.1 is not an address of this machine"):
        ports.refusal(ports.any_free(), "192.0.2.1")
