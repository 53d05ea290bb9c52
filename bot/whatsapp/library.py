"""The one place where neonize is imported, with everything that its import needs and brings along."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable
from types import ModuleType

from config.errors import ConfigError

# neonize's generated code says protobuf 7.34, weaviate-client needs protobuf below 7: 6.33 serves both with
# this switch, which is Python's own and may be set here. A test tells on the day when it is no longer needed.
_VERSION_SWITCH = "TEMPORARILY_DISABLE_PROTOBUF_VERSION_CHECK"

_GO_LOGGERS = ("whatsmeow", "Whatsmeow")


def load(reclaim_logging: Callable[[], None]) -> ModuleType:
    """neonize's asyncio client module, imported now (half a second and 63 MB).

    ``reclaim_logging`` runs afterwards: the import puts a handler on the root logger. Raises ConfigError
    when the system lacks libmagic.
    """
    os.environ[_VERSION_SWITCH] = "true"
    try:
        with warnings.catch_warnings():
            # The import leaves a pipe of os.popen open, and names it as a leak at the next collection.
            warnings.simplefilter("ignore")
            from neonize.aioze import client
    except ImportError as exc:
        if "magic" not in str(exc):
            raise
        raise ConfigError(
            ["WhatsApp needs the library libmagic, which is missing: apt-get install libmagic1."]
        ) from exc
    reclaim_logging()
    _quieten_go()
    module: ModuleType = client
    return module


def _quieten_go() -> None:
    """Never log whatsmeow's debugging, nor the stanzas in its other words.

    They hold the codes of the pairing, and who wrote what to whom.
    """
    for name in _GO_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().getEffectiveLevel()))
    # Filters of a logger don't see what its children say; those of a handler do.
    for handler in logging.getLogger().handlers:
        handler.addFilter(_cut_stanza)


def _cut_stanza(record: logging.LogRecord) -> bool:
    if record.name.startswith(_GO_LOGGERS):
        said, stanza, _ = record.getMessage().partition("<")
        record.msg, record.args = said + ("<…>" if stanza else ""), ()
    return True


def silence_go_stdout() -> None:
    """Keep Go's own prints out of standard output: they hold phone numbers, and no redaction sees them.

    Python's ``sys.stdout`` goes on writing to where it wrote before.
    """
    sys.stdout.flush()
    kept = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding or "utf-8", errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    sys.stdout = kept
