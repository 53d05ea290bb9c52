import ctypes
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import timed_bot
from bot.whatsapp.bridge import CONNECTED, MESSAGE, Bridge
from bot.whatsapp.journal import Journal


def test_each_message_leaves_its_time_and_nothing_else_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    handled = []

    def execute(_: Bridge, __: int, ___: int, size: int, code: int) -> None:
        handled.append(code)
        time.sleep(size / 1000)

    monkeypatch.setattr(Bridge, "_execute", execute)
    timed_bot.time_callbacks(tmp_path / "times")
    raw = ctypes.create_string_buffer(1)
    bridge = object.__new__(Bridge)
    for size, code in ((2, MESSAGE), (0, CONNECTED), (5, MESSAGE)):
        bridge._execute(0, ctypes.addressof(raw), size, code)
    assert handled == [MESSAGE, CONNECTED, MESSAGE]
    first, second = map(float, (tmp_path / "times").read_text().split())
    assert first >= 2
    assert second >= 5


def test_each_recorded_message_leaves_the_time_since_it_came(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recorded = []

    def record(portion: Sequence[bytes]) -> int:
        time.sleep(0.002)
        recorded.extend(portion)
        return len(portion)

    # So that both are as they were afterwards.
    monkeypatch.setattr(Journal, "keep", Journal.keep)
    monkeypatch.setattr(Journal, "_done", Journal._done)
    timed_bot.time_commits(tmp_path / "times")
    journal = Journal(tmp_path / "journal", record)
    journal.open()
    journal.keep(b"satu")
    journal.keep(b"dua")
    assert journal.close(10)
    assert recorded == [b"satu", b"dua"]
    found = [float(line) for line in (tmp_path / "times").read_text().split()]
    assert len(found) == 2
    assert all(each >= 2 for each in found)


def test_a_line_sets_the_switch_interval() -> None:
    before = sys.getswitchinterval()
    try:
        timed_bot.obey(["0.002\n"])
        assert sys.getswitchinterval() == pytest.approx(0.002)
    finally:
        sys.setswitchinterval(before)
