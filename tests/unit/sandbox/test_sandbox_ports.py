"""The port that a process is told before it runs."""

from __future__ import annotations

import socket

import pytest

from sandbox.ports import free_port


def test_nobody_listens_on_a_free_port_and_whoever_comes_next_can() -> None:
    port = free_port()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)):
        socket.create_connection(("127.0.0.1", port)).close()
