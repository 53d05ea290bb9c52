from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import openai
import pytest
import structlog

from config.logging import catch_uncaught, configure, get_logger, mask_phone
from config.secret import Secret
from config.settings import LogFormat, LogSettings

KEY = "rahasia-toko-9f2"
API_KEY = "sk-proj-RaHaSiA0123456789"
NUMBER = "081234567834"
JSON = LogSettings(format=LogFormat.JSON)
CONSOLE = LogSettings(format=LogFormat.CONSOLE)


@pytest.fixture(autouse=True)
def _logging_is_put_back() -> Iterator[None]:
    root = logging.getLogger()
    loggers = [root, *(item for item in root.manager.loggerDict.values() if isinstance(item, logging.Logger))]
    before = [(logger, list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    hooks = sys.excepthook, threading.excepthook
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


class Captured:
    """All that has been written to stderr so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    def getvalue(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Captured:
    return Captured(capsys)


def events(stream: Captured | io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def assert_clean(text: str) -> None:
    assert not re.search(r"rahasia|\d{9}", text, re.IGNORECASE), text
    assert not re.search(r"8[\s-]?12[\s-]?3456", text), text


def test_a_line_of_json_says_when_how_bad_where_and_what(stderr: Captured) -> None:
    configure(JSON)
    get_logger("bot.delivery").info("answer_sent", attempt=1, amount_idr=275_000)
    (line,) = stderr.getvalue().splitlines()
    event = json.loads(line)
    assert list(event)[:4] == ["timestamp", "level", "logger", "event"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", event.pop("timestamp"))
    assert event == {
        "level": "info",
        "logger": "bot.delivery",
        "event": "answer_sent",
        "attempt": 1,
        "amount_idr": 275_000,
    }


def test_events_of_the_standard_library_become_the_same_lines(stderr: Captured) -> None:
    configure(JSON)
    logging.getLogger("alembic.runtime").warning("Running %s", "0001")
    (event,) = events(stderr)
    assert event.pop("timestamp")
    assert event == {"level": "warning", "logger": "alembic.runtime", "event": "Running 0001"}


def test_nothing_is_written_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    configure(JSON)
    get_logger("x").info("started")
    logging.getLogger("y").warning("started")
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize("settings", [JSON, CONSOLE])
def test_no_key_and_no_number_is_logged_whatever_is_logged_and_by_whom(
    settings: LogSettings, stderr: Captured
) -> None:
    configure(settings, [Secret(KEY)])
    log = get_logger(f"bot.{NUMBER}")
    seeds = (
        KEY,
        API_KEY,
        NUMBER,
        "+62 812-3456-7834",
        "6281234567834@s.whatsapp.net",
        f"https://u:{KEY}@x.test/?k={KEY}",
    )
    structlog.contextvars.bind_contextvars(customer=NUMBER, nested={"key": [KEY]})
    for seed in seeds:
        log.info(seed)
        log.info("with_arguments %s %r", seed, seed)
        log.bind(bound=seed).warning(
            "event", value=seed, nested={"a": [(seed, {seed: seed})]}, raw=seed.encode()
        )
        log.error("failed", error=ValueError(seed), shown=repr([seed]), stack_info=True)
        try:
            raise_with_cause(seed)
        except RuntimeError:
            log.exception("failed_with_trace")
            logging.getLogger("openai").exception("failed for %s", seed)
        for name in ("openai", "httpx", "aiohttp.client", "asyncio", "", f"nama.{NUMBER}"):
            logging.getLogger(name).error("to %s %r", seed, {"headers": {"Authorization": f"Bearer {seed}"}})
            logging.getLogger(name).error({"text": seed})
            logging.getLogger(name).error("%d does not fit", seed)
            logging.getLogger(name).error(seed, stack_info=True)
    text = stderr.getvalue()
    assert len(text) > 10_000
    assert_clean(text)


def raise_with_cause(seed: str) -> None:
    try:
        raise ValueError(f"cause {seed}")
    except ValueError as error:
        failure = RuntimeError(f"effect {seed}")
        failure.add_note(f"note {seed}")
        raise failure from error


def test_an_error_of_the_real_openai_client_shows_no_key(stderr: Captured) -> None:
    configure(JSON, [Secret(API_KEY)])
    client = openai.OpenAI(api_key=API_KEY, base_url="http://127.0.0.1:1/v1", max_retries=0)
    try:
        client.models.list()
    except openai.APIConnectionError as error:
        get_logger("rag.model").exception(
            "model_failed", request=error.request, headers=error.request.headers
        )
    client.close()
    (event,) = events(stderr)
    assert "APIConnectionError" in event["exception"]
    assert_clean(stderr.getvalue())


def test_an_exception_is_one_text_in_one_field(stderr: Captured) -> None:
    configure(JSON)
    local_secret = "nilai lokal"  # noqa: F841 - a traceback with local variables would show it.
    try:
        raise_with_cause("x")
    except RuntimeError:
        get_logger("x").exception("failed")
    (event,) = events(stderr)
    assert event["level"] == "error"
    assert event["exception"].startswith("Traceback")
    assert "ValueError: cause x" in event["exception"]
    assert event["exception"].endswith("RuntimeError: effect x\nnote x")
    assert "exc_info" not in event
    assert "nilai lokal" not in event["exception"]


def test_the_console_shows_the_trace_without_local_variables(stderr: Captured) -> None:
    configure(CONSOLE)
    text = "isi chat".upper()
    try:
        raise RuntimeError(len(text))
    except RuntimeError:
        get_logger("x").exception("failed")
    assert "RuntimeError: 8" in stderr.getvalue()
    assert "ISI CHAT" not in stderr.getvalue()


def test_the_console_has_colours_only_on_a_terminal(
    stderr: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(CONSOLE)
    get_logger("x").info("plain_event", a=1)
    assert "\x1b" not in stderr.getvalue()
    assert re.search(r"\d\d:\d\d:\d\d.*info.*plain_event.*a=1", stderr.getvalue())
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure(CONSOLE)
    get_logger("x").info("coloured_event")
    assert "\x1b" in stderr.getvalue()


@pytest.mark.parametrize(
    ("format", "supervised", "terminal", "as_json"),
    [
        (LogFormat.AUTO, False, False, True),
        (LogFormat.AUTO, False, True, False),
        (LogFormat.AUTO, True, True, True),
        (LogFormat.CONSOLE, True, False, False),
        (LogFormat.JSON, False, True, True),
    ],
)
def test_auto_is_json_under_supervisor_and_without_a_terminal(
    format: LogFormat,
    supervised: bool,
    terminal: bool,
    as_json: bool,
    stderr: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    configure(LogSettings(format=format, under_supervisor=supervised))
    get_logger("x").info("started")
    assert stderr.getvalue().startswith("{") is as_json


def test_a_later_configuration_reaches_loggers_that_exist_already(
    stderr: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = get_logger("x")
    configure(JSON, [Secret("pertama")])
    log.info("a", value="pertama")
    configure(LogSettings(format=LogFormat.JSON, level="WARNING"), [Secret("kedua-kali")])
    log.info("not_shown")
    later = io.StringIO()
    monkeypatch.setattr(sys, "stderr", later)
    log.warning("b", value="kedua-kali")
    logging.getLogger("z").warning("c kedua-kali")
    assert [event["event"] for event in events(stderr)] == ["a"]
    assert [event["event"] for event in events(later)] == ["b", "c ***"]


def test_handlers_of_libraries_are_taken_away(stderr: Captured) -> None:
    own = io.StringIO()
    for name in (None, "whatsmeow.Client"):
        logging.getLogger(name).addHandler(logging.StreamHandler(own))
    logging.getLogger("whatsmeow.Client").propagate = False
    configure(JSON)
    logging.getLogger("whatsmeow.Client").warning("hello")
    assert own.getvalue() == ""
    assert [event["event"] for event in events(stderr)] == ["hello"]


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
@pytest.mark.parametrize("name", ["httpx", "httpx2", "httpcore2.http11", "openai._base_client", "asyncio"])
def test_request_lines_of_the_http_libraries_are_left_out(name: str, level: str, stderr: Captured) -> None:
    configure(LogSettings(format=LogFormat.JSON, level=level))
    logging.getLogger(name).debug("Request options: the customer's text")
    logging.getLogger(name).info("HTTP Request: POST")
    logging.getLogger(name).warning("Retrying")
    assert [event["event"] for event in events(stderr)] == ["Retrying"]


def test_context_is_bound_to_both_kinds_of_events(stderr: Captured) -> None:
    configure(JSON)
    with structlog.contextvars.bound_contextvars(message_id="m1"):
        get_logger("x").info("a")
        logging.getLogger("y").warning("b")
    assert [event["message_id"] for event in events(stderr)] == ["m1", "m1"]


def test_line_breaks_can_not_forge_a_second_line(stderr: Captured) -> None:
    configure(JSON)
    get_logger("x").info("a\n{}", value="b\r\n{}")
    logging.getLogger("y").warning("c\n{}")
    assert len(stderr.getvalue().splitlines()) == 2


def test_values_that_json_does_not_know_are_no_failure(stderr: Captured) -> None:
    configure(JSON)
    get_logger("x").info("odd", a={1: object, (2, 3): {4}}, b=float("inf"), c=b"\xff", d="\ud800", e=range(3))
    (event,) = events(stderr)
    assert event["b"] == "inf"
    assert event["c"] == "\\xff"
    assert event["d"] == "\ud800"
    assert event["e"] == "range(0, 3)"


def test_arguments_that_do_not_fit_are_no_failure(stderr: Captured) -> None:
    configure(JSON)
    logging.getLogger("y").warning("%d pesan dari", "dua")
    (event,) = events(stderr)
    assert event["event"] == "%d pesan dari (its arguments don't fit)"


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("broken", [FullDisk(), None])
def test_a_broken_stderr_does_not_stop_the_bot(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", broken)
    configure(JSON)
    get_logger("x").info("a")
    logging.getLogger("y").warning("b")


def test_a_closed_stderr_does_not_stop_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(JSON)
    closed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", closed)
    closed.close()
    get_logger("x").info("a")
    logging.getLogger("y").warning("b")


def test_lines_of_many_threads_stay_whole(stderr: Captured) -> None:
    configure(JSON)

    def work(number: int) -> None:
        for turn in range(50):
            get_logger("x").info("a", number=number, turn=turn)
            logging.getLogger("y").warning("b %d", turn)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(events(stderr)) == 400


def test_uncaught_exceptions_and_warnings_are_redacted_too(stderr: Captured) -> None:
    configure(JSON, [Secret(KEY)])
    catch_uncaught()
    with contextlib.suppress(ValueError):
        raise_value_error()
    try:
        raise_value_error()
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    thread = threading.Thread(target=raise_value_error)
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"tentang {KEY}", stacklevel=1)
    first, second, third = events(stderr)
    assert first["event"] == second["event"] == "uncaught_exception"
    assert "ValueError: *** 0812…34" in first["exception"]
    assert third["logger"] == "py.warnings"
    assert_clean(stderr.getvalue())


def test_a_stop_by_the_keyboard_is_no_uncaught_exception(stderr: Captured) -> None:
    configure(JSON)
    catch_uncaught()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert stderr.getvalue() == ""


def raise_value_error() -> None:
    raise ValueError(f"{KEY} {NUMBER}")


def test_mask_phone_is_at_hand_for_notices() -> None:
    assert mask_phone("6281234567834") == "0812…34"
