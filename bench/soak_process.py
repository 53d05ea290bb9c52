"""One of the product's processes, for as long as a block runs."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.linked import running
from bench.questions import PROJECT
from sandbox.whatsapp.server import WhatsAppServer


@contextlib.contextmanager
def process(
    script: str, server: WhatsAppServer, environment: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """One of the product's processes; killed at the end if it is still there."""
    command = [str(PROJECT / script), *(["--channel", "whatsapp"] if script == "run_bot.py" else [])]
    with running(command, server, folder, environment, log_name=f"{script}.log") as found:
        yield found
