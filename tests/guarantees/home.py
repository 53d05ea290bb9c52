"""A shop's state for one scenario, looked at from outside: its settings, its database, its claims."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3

from sandbox.demo import environment_for
from sandbox.limits import UNLIMITED
from sandbox.surroundings import surroundings

PROJECT = Path(__file__).resolve().parents[2]
QUICK = {
    "BURST_QUIET_S": "0",
    "BURST_QUESTION_S": "0",
    "LOOP_ANSWERS": "0",
    "WATCH_KNOWLEDGE": "false",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "INFO",
    "POLL_S": "0.1",
    **UNLIMITED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Home:
    """Where a bot keeps its state. ``database_url`` when that is not a file in ``state_dir``."""

    state_dir: Path
    model_url: str
    database_url: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the bot: nothing of the machine's own settings leaks in."""
        wanted = environment_for(self.model_url, surroundings() | QUICK | self.settings)
        return wanted | {"STATE_DIR": str(self.state_dir), "DATABASE_URL": self.database_url}

    @property
    def database(self) -> Path:
        return self.state_dir / "balas.db"

    def ingest(self) -> None:
        """Read the sample shop's knowledge."""
        environment = self.environment
        subprocess.run(
            [sys.executable, "-m", "rag.ingest", environment["DATA_DIR"], "--quiet"],
            cwd=PROJECT,
            env=environment,
            check=True,
            capture_output=True,
        )

    def query(self, statement: str) -> list[Any]:
        """Rows of the database as it is on the disk now, on a connection of our own.

        SQLite is read from a copy, so that the recovery after a crash stays the bot's own work.
        """
        if self.database_url:
            with psycopg.connect(self.database_url) as server:
                return server.execute(statement.encode()).fetchall()
        with _copy_of(self.database) as copy, contextlib.closing(pysqlite3.connect(str(copy))) as file:
            found: list[Any] = file.execute(statement).fetchall()
            return found

    def claimed(self, table: str) -> list[int]:
        """Ids of the rows that somebody has in hand."""
        return [row[0] for row in self.query(f"SELECT id FROM {table} WHERE state = 'claimed'")]

    def is_sound(self) -> bool:
        """Whether SQLite finds no damage in its file."""
        return self.query("PRAGMA integrity_check") == [("ok",)]


@contextlib.contextmanager
def _copy_of(database: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="balas-look-") as folder:
        # The index of the write-ahead log (-shm) is left behind: it is made anew from the log.
        for name in (database.name, f"{database.name}-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(database.with_name(name), Path(folder, name))
        yield Path(folder, database.name)


def copied(template: Home, state_dir: Path, **settings: str) -> Home:
    """A home of its own with the template's knowledge."""
    state_dir.mkdir(mode=0o700, exist_ok=True)
    for path in template.state_dir.glob("balas.db*"):
        shutil.copy(path, state_dir)
    return Home(state_dir=state_dir, model_url=template.model_url, settings=settings)


def command(mutant: str | None, faults: Sequence[str]) -> list[str]:
    """The command line of a bot; see ``tests.launch``."""
    options = [] if mutant is None else ["--mutant", f"tests.mutants.{mutant}"]
    return [sys.executable, "-m", "tests.launch", *options, *faults, "--", "--channel", "terminal", "--jsonl"]
