"""Guarantee 13: a full disk is told, costs nothing that was acknowledged, and is over by itself."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from config.settings import Settings
from store.opening import open_store
from tests.guarantees.botprocess import BotProcess
from tests.guarantees.crashes import PATIENCE_S, Customers, finish
from tests.guarantees.home import Home, copied
from tests.guarantees.ledger import Ledger, Verdict, check

REFUSALS = 4
DISK_BYTES = 12 * 1024 * 1024


class Disk(Protocol):
    """Where the state lies, and how it runs out of room."""

    folder: Path

    def fill(self, bot: BotProcess) -> None: ...

    def free(self, bot: BotProcess) -> None: ...


class FileSizeLimit:
    """No file may grow (or be written at all): the kernel refuses with EFBIG. Needs no rights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, bot: BotProcess) -> None:
        _, most = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (0, most))

    def free(self, bot: BotProcess) -> None:
        _, most = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (most, most))


class SmallDisk:
    """A file system of a few megabytes that another file fills to the last byte: ENOSPC."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, bot: BotProcess) -> None:
        with (self.folder / "filler").open("ab", buffering=0) as filler, contextlib.suppress(OSError):
            for size in (65536, 4096, 1):
                with contextlib.suppress(OSError):
                    while filler.write(b"\0" * size):
                        pass

    def free(self, bot: BotProcess) -> None:
        (self.folder / "filler").unlink()


@contextlib.contextmanager
def _mounted(folder: Path) -> Iterator[bool]:
    """A small tmpfs, where we may mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs", str(folder)]
    is_mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", str(folder)], check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A real small disk where we may mount one, else a limit on every file."""
    with _mounted(tmp_path / "disk") as is_mounted:
        folder = tmp_path / "disk"
        yield SmallDisk(folder) if is_mounted else FileSizeLimit(folder)


def _run_out_of_room(
    template: Home, disk: Disk, ledger_path: Path, *, mutant: str | None = None
) -> tuple[Verdict, list[str], int]:
    """Messages before, while and after there is no room; verdict, log and refusals."""
    home = copied(template, disk.folder / "var")
    customers = Customers(random.Random(3), chats=6)
    with Ledger(ledger_path) as ledger:
        with BotProcess(home, ledger, mutant=mutant) as bot:
            bot.wait_ready()
            for _ in range(6):
                customers.say(bot)
            bot.wait(lambda: len(bot.acknowledged) == 6, PATIENCE_S)
            # The first answers are being written, sent and marked now.
            disk.fill(bot)
            asked = _ask_until_refused(bot, customers, mutant)
            # Long enough for every worker to stumble over it.
            time.sleep(1.0)
            refused = sum(outcome == "failed" for outcome in bot.acknowledged.values())
            disk.free(bot)
            customers.meet(bot)
            if mutant is None:
                assert refused >= REFUSALS, f"{refused} of {asked} refused"
            bot.acknowledged.clear()
            customers.say_again(bot)
            if mutant is None:
                bot.wait_quiet(lambda: customers.is_served(bot), patience_s=PATIENCE_S)
            for _ in range(3):
                customers.say(bot)
            finish(bot, lambda: customers.is_served(bot), mutant)
        verdict = check(ledger.entries())
    assert home.is_sound(), "the database is damaged"
    return verdict, bot.log, refused


def _ask_until_refused(bot: BotProcess, customers: Customers, mutant: str | None) -> int:
    """A write-ahead log has some room of its own: ask until the refusals come."""
    asked = 0
    while asked < 400:
        customers.say(bot)
        asked += 1
        bot.wait(lambda: len(bot.acknowledged) >= 6 + asked, 6.0)  # noqa: B023 - called within this round
        if sum(outcome == "failed" for outcome in bot.acknowledged.values()) >= REFUSALS:
            break
        if mutant is not None and asked >= 2:
            break  # It never refuses, or hangs for the callback's whole time-out.
    return asked


def told(disk: Disk, verdict: Verdict, refused: int) -> str:
    faults = verdict.faults or "none"
    return f"{type(disk).__name__}: {verdict.answered} answered, {refused} refused, faults {faults}"


def _assert_told_and_resumed(verdict: Verdict, log: list[str]) -> None:
    assert verdict.faults == {}, verdict
    assert verdict.repeated == 0, "nothing crashed, so nothing may be repeated"
    assert any('"not_recorded"' in line and '"error"' in line for line in log), "the log does not say it"


def test_a_full_disk_is_told_loses_nothing_and_is_over_by_itself(
    template: Home, disk: Disk, tmp_path: Path, report: Callable[[str], None]
) -> None:
    verdict, log, refused = _run_out_of_room(template, disk, tmp_path / "ledger")
    report(told(disk, verdict, refused))
    _assert_told_and_resumed(verdict, log)


def test_files_that_cannot_be_written_are_told_lose_nothing_and_are_over_by_themselves(
    template: Home, tmp_path: Path, report: Callable[[str], None]
) -> None:
    (tmp_path / "disk").mkdir()
    disk = FileSizeLimit(tmp_path / "disk")
    verdict, log, refused = _run_out_of_room(template, disk, tmp_path / "ledger")
    report(told(disk, verdict, refused))
    _assert_told_and_resumed(verdict, log)


@pytest.mark.torture
@pytest.mark.parametrize("attempt", range(10))
def test_a_disk_that_fills_at_any_moment_loses_nothing(
    template: Home, disk: Disk, tmp_path: Path, attempt: int
) -> None:
    verdict, log, _ = _run_out_of_room(template, disk, tmp_path / "ledger")
    _assert_told_and_resumed(verdict, log)


def _run_out_of_room_between_send_and_mark(
    home: Home, ledger_path: Path, *, mutant: str | None = None
) -> Verdict:
    customers = Customers(random.Random(4), chats=3)
    with Ledger(ledger_path) as ledger:
        faults = ["--fill=before:store.outbox.mark_sent:2"]
        with BotProcess(home, ledger, mutant=mutant, faults=faults) as bot:
            bot.wait_ready()
            for _ in range(5):
                customers.say(bot)
            bot.wait(lambda: any("settle_failed" in line or "mark_failed" in line for line in bot.log), 10.0)
            FileSizeLimit(home.state_dir).free(bot)
            bot.wait(lambda: len(bot.acknowledged) == 5, PATIENCE_S)
            customers.meet(bot)
            bot.acknowledged.clear()
            customers.say_again(bot)
            finish(bot, lambda: customers.is_served(bot), mutant)
        return check(ledger.entries())


def test_a_disk_that_fills_right_after_a_send_repeats_no_answer(
    make_home: Callable[..., Home], tmp_path: Path
) -> None:
    verdict = _run_out_of_room_between_send_and_mark(make_home(), tmp_path / "ledger")
    assert verdict.faults == {}, verdict
    assert verdict.repeated == 0


def test_the_mutant_that_sends_again_when_the_mark_fails_is_found_to_double(
    make_home: Callable[..., Home], tmp_path: Path
) -> None:
    verdict = _run_out_of_room_between_send_and_mark(
        make_home(), tmp_path / "ledger", mutant="sent_again_when_unmarked"
    )
    assert any(found.startswith("row") for found in verdict.doubled), verdict


@pytest.mark.parametrize("mutant", ["failed_commits_acknowledged", "writer_dies_of_its_first_error"])
def test_the_mutants_of_a_failed_commit_are_found_to_lose(
    template: Home, tmp_path: Path, mutant: str
) -> None:
    (tmp_path / "disk").mkdir()
    verdict, _, _ = _run_out_of_room(
        template, FileSizeLimit(tmp_path / "disk"), tmp_path / "ledger", mutant=mutant
    )
    assert verdict.lost, verdict


async def test_every_commit_of_the_running_configuration_is_synced(
    make_settings: Callable[..., Settings],
) -> None:
    """kill -9 cannot tell FULL from NORMAL, a power cut can: 2 is FULL."""
    settings = make_settings()
    settings.state_dir.mkdir()
    store = await open_store(settings)
    try:
        pragmas = ("synchronous", "journal_mode")
        written = await store.write(
            lambda c: [c.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in pragmas]
        )
    finally:
        await store.close()
    assert written == [2, "wal"]
