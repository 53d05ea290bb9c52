"""Ports on this machine for a process that must be told its own before it runs."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has now; whoever starts on it soon will most likely get it."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
