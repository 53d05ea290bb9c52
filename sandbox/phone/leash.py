"""Run a Python script that ends when whoever started it is gone, even by kill -9:

python -m sandbox.phone.leash PARENT_ID run_bot.py --channel whatsapp
"""

from __future__ import annotations

import os
import sys

from sandbox.parent import end_with_parent


def main() -> None:
    """Become the script; returns only when the parent is gone already."""
    parent, *command = sys.argv[1:]
    end_with_parent()
    if os.getppid() == int(parent):
        os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    main()
