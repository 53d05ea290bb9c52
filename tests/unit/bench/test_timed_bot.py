import ctypes
import sys
import time
from pathlib import Path

import pytest

from bench import timed_bot
from bot.whatsapp.bridge import CONNECTED, MESSAGE, Bridge


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


def test_a_line_sets_the_switch_interval() -> None:
    before = sys.getswitchinterval()
    try:
        timed_bot.obey(["0.002\n"])
        assert sys.getswitchinterval() == pytest.approx(0.002)
    finally:
        sys.setswitchinterval(before)
