"""Structured logs on stderr: JSON lines for machines, readable ones for people, redacted in both cases.

stdout belongs to the terminal channel. The loggers of libraries pass through the same redaction.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterable, MutableMapping
from types import TracebackType
from typing import Any, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from config.redaction import Redactor, mask_phone
from config.secret import Secret
from config.settings import LogFormat, LogSettings

__all__ = ["catch_uncaught", "configure", "get_logger", "mask_phone"]

# At INFO they write a line for each request, at DEBUG the request itself, with the texts of customers in it.
# Alembic lists its own plugins.
_TALKATIVE = (
    *("openai", "httpx", "httpx2", "httpcore", "httpcore2", "urllib3", "asyncio", "aiosqlite"),
    "alembic.runtime.plugins",
)
_IN_FRONT = ("timestamp", "level", "logger", "event")


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger that obeys the latest `configure`, even if it was made before."""
    return cast(FilteringBoundLogger, structlog.get_logger(name))


def configure(log: LogSettings, secrets: Iterable[Secret] = ()) -> None:
    """Sends structlog's and the standard library's events to stderr, redacted.

    May be called again at any time; call it after an import that installs log handlers of its own.
    """
    as_json = _wants_json(log)
    chain: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _redacted_by(Redactor(secrets)),
        # After the redaction: a time of our own making needs none.
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
        _render_json if as_json else _console_renderer(),
    ]
    level = logging.getLevelNamesMapping()[log.level]
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.stdlib.add_logger_name, *chain],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Lines,
        # A cached logger would keep the old processors, and the old stderr, after the next call.
        cache_logger_on_first_use=False,
    )
    _take_over_standard_logging(level, chain)


def catch_uncaught() -> None:
    """Logs, and so redacts, what would otherwise be printed as it is: uncaught exceptions and warnings.

    For the start of a process only; tests keep their own hooks.
    """
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    logging.captureWarnings(True)


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    get_logger("config.logging").critical("uncaught_exception", exc_info=(kind, error, trace))


def _wants_json(log: LogSettings) -> bool:
    if log.format is LogFormat.AUTO:
        return log.under_supervisor or not _stderr_is_terminal()
    return log.format is LogFormat.JSON


def _stderr_is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _redacted_by(redactor: Redactor) -> Processor:
    def redact(logger: Any, method: str, event: EventDict) -> EventDict:
        return redactor.mapping(event)

    return redact


def _render_json(logger: Any, method: str, event: EventDict) -> str:
    ordered = {name: event.pop(name) for name in _IN_FRONT if name in event}
    return json.dumps({**ordered, **event}, ensure_ascii=False)


def _console_renderer() -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=_stderr_is_terminal(),
        sort_keys=False,
        pad_event_to=0,
        # The exception is text already; the default renderer would show local variables with it.
        exception_formatter=structlog.dev.plain_traceback,
    )


_writing = threading.Lock()


def _write(line: str) -> None:
    """One line on the stderr of this moment. A closed or full stderr must not stop the bot."""
    try:
        with _writing:
            try:
                sys.stderr.write(line + "\n")
            except UnicodeEncodeError:
                # A stream of another encoding, or half of a surrogate pair; \\uXXXX is good JSON as well.
                sys.stderr.write(line.encode("ascii", "backslashreplace").decode("ascii") + "\n")
            sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        # There is nowhere left to tell it: a full disk, a closed stream, or no stderr at all.
        return


class _Lines:
    """What structlog calls a logger: takes the rendered line."""

    def __init__(self, name: str = "balas") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        _write(line)

    debug = info = warning = error = critical = exception = fatal = log = msg


class _StandardHandler(logging.Handler):
    """Brings the records of the standard library into our chain."""

    def __init__(self, chain: list[Processor]) -> None:
        super().__init__()
        self._chain = chain

    def emit(self, record: logging.LogRecord) -> None:
        event: MutableMapping[str, Any] = {
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _message(record),
        }
        if record.exc_info:
            event["exc_info"] = record.exc_info
        rendered: Any = event
        for processor in self._chain:
            rendered = processor(None, record.levelname.lower(), rendered)
        _write(rendered)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - the standard handler would print the unredacted arguments to stderr.
        return f"{record.msg!s} (its arguments don't fit)"


def _take_over_standard_logging(level: int, chain: list[Processor]) -> None:
    root = logging.getLogger()
    loggers = [root, *(item for item in root.manager.loggerDict.values() if isinstance(item, logging.Logger))]
    for logger in loggers:
        # A handler that a library put on its own logger would print past the redaction.
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        logger.propagate = True
    root.addHandler(_StandardHandler(chain))
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
