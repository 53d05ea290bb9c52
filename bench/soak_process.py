"""One of the product's processes, for as long as a block runs."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.linked import die_with_parent, environment_beside
from bench.questions import PROJECT
from sandbox.whatsapp.server import WhatsAppServer


@contextlib.contextmanager
def process(
    script: str, server: WhatsAppServer, environment: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """One of the product's processes; killed at the end if it is still there."""
    channel = ["--channel", "whatsapp"] if script == "run_bot.py" else []
    with (folder / f"{script}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, str(PROJECT / script), *channel],
            cwd=folder,
            env=environment_beside(server, environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
