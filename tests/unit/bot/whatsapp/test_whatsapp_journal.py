"""The journal: whatever was kept is recorded, in order, through refusals, torn ends and new processes."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.whatsapp import journal
from bot.whatsapp.journal import Journal

WAIT_S = 10.0


class Recorder:
    """Takes events, or refuses them while ``refuses`` is set."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.tried = threading.Event()
        self.refuses = False

    def __call__(self, portion: Sequence[bytes]) -> int:
        self.tried.set()
        if self.refuses:
            return 0
        # Never all of many: what is left comes again.
        safe = portion[: max(1, len(portion) - 1)]
        self.taken.extend(safe)
        return len(safe)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "RETRY_EVERY_S", 0.01)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "utama-whatsapp.journal"


def opened(path: Path, recorder: Recorder) -> Journal:
    made = Journal(path, recorder)
    made.open()
    return made


def test_what_is_kept_is_recorded_in_order_and_leaves_nothing_behind(path: Path) -> None:
    recorder = Recorder()
    kept = opened(path, recorder)
    events = [f"pesan {number}".encode() for number in range(200)]
    for event in events:
        kept.keep(event)
    assert kept.wait_recorded(WAIT_S)
    assert recorder.taken == events
    assert path.stat().st_size == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept.close(WAIT_S)


def test_what_the_database_refuses_is_kept_and_recorded_later_in_order(path: Path) -> None:
    recorder = Recorder()
    recorder.refuses = True
    kept = opened(path, recorder)
    kept.keep(b"satu")
    assert recorder.tried.wait(WAIT_S)
    kept.keep(b"dua")
    assert not kept.wait_recorded(0.05)
    assert journal.read(path.read_bytes())[0] == [b"satu", b"dua"]
    recorder.refuses = False
    assert kept.wait_recorded(WAIT_S)
    assert recorder.taken == [b"satu", b"dua"]
    assert kept.close(WAIT_S)


def test_what_was_left_is_taken_up_by_the_next_process_before_anything_new(path: Path) -> None:
    refusing = Recorder()
    refusing.refuses = True
    first = opened(path, refusing)
    first.keep(b"lama")
    assert not first.close(WAIT_S)
    recorder = Recorder()
    second = opened(path, recorder)
    second.keep(b"baru")
    assert second.wait_recorded(WAIT_S)
    assert recorder.taken == [b"lama", b"baru"]
    assert second.close(WAIT_S)


def test_a_full_disk_does_not_keep_a_message_from_the_database(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    kept = opened(path, recorder)

    def full(handle: int, record: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "_append", full)
    kept.keep(b"pesan")
    assert kept.wait_recorded(WAIT_S)
    assert recorder.taken == [b"pesan"]
    assert kept.close(WAIT_S)


def test_half_a_record_is_taken_back_when_the_disk_fills_up_in_its_middle(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    recorder.refuses = True
    kept = opened(path, recorder)
    kept.keep(b"satu")
    real = os.write
    left = [5]

    def nearly_full(handle: int, data: memoryview) -> int:
        if not left:
            raise OSError(28, "No space left on device")
        return real(handle, data[: left.pop()])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", nearly_full)
        kept.keep(b"dua")
    kept.keep(b"tiga")
    events, end = journal.read(path.read_bytes())
    assert events == [b"satu", b"tiga"]
    assert end == path.stat().st_size
    recorder.refuses = False
    assert kept.wait_recorded(WAIT_S)
    assert recorder.taken == [b"satu", b"dua", b"tiga"]
    assert kept.close(WAIT_S)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    events=st.lists(st.binary(max_size=40), max_size=8), cut=st.integers(0, 400), tail=st.binary(max_size=9)
)
def test_a_torn_end_costs_no_whole_record(tmp_path: Path, events: list[bytes], cut: int, tail: bytes) -> None:
    path = tmp_path / "torn"
    path.unlink(missing_ok=True)
    refusing = Recorder()
    refusing.refuses = True
    written = opened(path, refusing)
    ends = []
    for event in events:
        written.keep(event)
        ends.append(path.stat().st_size)
    written.close(WAIT_S)
    path.write_bytes(path.read_bytes()[:cut] + tail)
    whole = [event for event, end in zip(events, ends, strict=True) if end <= cut]
    recorder = Recorder()
    again = opened(path, recorder)
    again.keep(b"baru")
    assert again.wait_recorded(WAIT_S)
    # What the tail happens to spell is no concern of ours, but it must not hide or change what was whole.
    assert recorder.taken[: len(whole)] == whole
    assert recorder.taken[-1] == b"baru"
    assert again.close(WAIT_S)
