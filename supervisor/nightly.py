"""Once a night: a back-up, then what is past its time is deleted. Each is a process of its own."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Sequence
from datetime import datetime, time, timedelta, tzinfo

import structlog
from sqlalchemy import Connection, select

from store import meta
from store.columns import now_ms
from store.doors import Store

log = structlog.get_logger(__name__)

# After midnight's own jobs and long before a shop opens.
AT = time(3, 15)
# A back-up of a large shop on a slow disk; what takes longer hangs.
TIMEOUT_S = 3600.0
_BACKUP = "store.backup"
_TIDYING = "store.tidying"
_DONE = "backup_done_ms"


def jobs() -> list[str]:
    """The modules that are run, in this order: nothing is deleted before it is backed up."""
    return [name for name in (_BACKUP, _TIDYING) if importlib.util.find_spec(name) is not None]


def seconds_until_next(now: datetime) -> float:
    """From ``now`` (in the shop's time zone) until the next night's run."""
    today = now.replace(hour=AT.hour, minute=AT.minute, second=0, microsecond=0)
    due = today if now < today else today + timedelta(days=1)
    return (due - now).total_seconds()


async def run_every_night(store: Store, zone: tzinfo) -> None:
    """Runs until it is cancelled."""
    await store.write(_begin)
    while True:
        await asyncio.sleep(seconds_until_next(datetime.now(zone)))
        for name in jobs():
            if await run_job([sys.executable, "-m", name]) and name == _BACKUP:
                await store.write(note_backup)
        # The clock may have been set back a little meanwhile.
        await asyncio.sleep(60)


async def run_job(command: Sequence[str]) -> bool:
    """Whether it ended well; its output goes to the log of this process."""
    process = await asyncio.create_subprocess_exec(
        # What is done at night must not make an answer wait.
        *("nice", "-n", "15", *command),
        stdin=asyncio.subprocess.DEVNULL,
        # stdout is the protocol with supervisord.
        stdout=2,
    )
    try:
        code = await asyncio.wait_for(process.wait(), TIMEOUT_S)
    except TimeoutError:
        # It failed, and the night's other job is not to blame.
        log.error("nightly_job_hangs", job=command[-1], timeout_s=TIMEOUT_S)
        await _kill(process)
        return False
    except asyncio.CancelledError:
        await _kill(process)
        raise
    (log.info if code == 0 else log.error)("nightly_job", job=command[-1], exit_code=code)
    return code == 0


async def _kill(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


def _begin(connection: Connection) -> None:
    """Back-ups that fail from the first night on must be noticed too: their age counts from here."""
    if meta.get(connection, _DONE) is None:
        note_backup(connection)


def note_backup(connection: Connection) -> None:
    """The state has been backed up just now."""
    meta.put(connection, _DONE, str(connection.execute(select(now_ms())).scalar_one()))


def backup_age_s(connection: Connection) -> float | None:
    """Since the last back-up; since the first look where there is none yet. None when none are made."""
    if importlib.util.find_spec(_BACKUP) is None:
        return None
    done = meta.get(connection, _DONE)
    now = int(connection.execute(select(now_ms())).scalar_one())
    return None if done is None else max(0, now - int(done)) / 1000
