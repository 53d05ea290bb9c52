"""What a process of ours gets of this machine's environment: nothing of the developer's settings."""

from __future__ import annotations

import os

_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


def surroundings() -> dict[str, str]:
    """The variables without which nothing runs."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}
