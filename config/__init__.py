"""Settings, the shop's profile, the sentences it speaks, logging and redaction.

It imports no other part of Balas; every other part may import it.
"""

from __future__ import annotations

import importlib
import sys


def _load_structlog_alone() -> None:
    """structlog takes rich along where it is installed, for coloured tracebacks that no service shows: 7 MB.

    None is Python's own way to say that a module is not there. Progress bars may still have it afterwards.
    """
    if "rich" in sys.modules:
        return
    hidden: dict[str, object] = sys.modules  # type: ignore[assignment]
    hidden["rich"] = None
    importlib.import_module("structlog")
    del hidden["rich"]


_load_structlog_alone()
