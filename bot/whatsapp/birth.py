"""What the process must be born with: Go sees only the environment that it was started with.

Imports next to nothing, since a process that was born wrongly runs its command once more, from the beginning.
"""

from __future__ import annotations

import os
import sys

# Read by Go. Without it, private messages carry a mark that they come from an AI business.
BOT_TAG = "NEONIZE_BOT_TAG"


def ensure(*, bot_tag: bool) -> None:
    """Return in a process whose Go sees this setting; any other one runs its very command anew."""
    wanted = "on" if bot_tag else "off"
    if os.environ.get(BOT_TAG) != wanted:
        os.environ[BOT_TAG] = wanted
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def ensure_any() -> None:
    """The same before the settings are read, for the setting that nearly every shop has."""
    if BOT_TAG not in os.environ:
        ensure(bot_tag=False)
