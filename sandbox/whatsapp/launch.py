"""Start a Python script whose neonize talks to the sandbox's WhatsApp server:

python -m sandbox.whatsapp.launch --port 24201 -- run_bot.py --channel whatsapp
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from sandbox.whatsapp.library import environment


def main(arguments: Sequence[str] | None = None) -> None:
    """Prepare the copy of neonize and become the script; returns only by raising."""
    parser = argparse.ArgumentParser(prog="sandbox.whatsapp.launch", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="where the server listens")
    parser.add_argument("script", nargs="+", help="a Python script and its arguments, after --")
    options = parser.parse_args(arguments)
    os.execve(sys.executable, [sys.executable, *options.script], os.environ | environment(options.port))


if __name__ == "__main__":
    main()
