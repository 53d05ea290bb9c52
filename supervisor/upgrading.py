"""``python -m supervisor.upgrading``: what ``install.sh`` has to know of a state folder on the way back.

``versions STATE`` prints the version of every database there, as its own library wrote it: an earlier release
can read the state as long as none has changed. ``forget-index STATE`` lets Weaviate be filled anew, after the
SQLite database was put back to an earlier state than the index knows. Nothing may run meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pysqlite3

from store.memory.weaviate import standing
from store.sqlite_file import sqlite_engine

# Alembic's is our own database's, the other that of the WhatsApp session.
_VERSIONS = ("SELECT version_num FROM alembic_version", "SELECT version FROM whatsmeow_version")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m supervisor.upgrading")
    parser.add_argument("command", choices=["versions", "forget-index"])
    parser.add_argument("state", type=Path, metavar="STATE")
    options = parser.parse_args(arguments)
    if options.command == "versions":
        for line in versions(options.state):
            print(line)
    else:
        forget_index(options.state)
    return 0


def versions(state: Path) -> Iterator[str]:
    """A line for each database in the folder; one without a version of its own has no other words in it."""
    for file in sorted(state.glob("*.db")):
        found = [file.name]
        with contextlib.closing(pysqlite3.connect(file)) as connection:
            for query in _VERSIONS:
                # It has no such table, or is none of ours.
                with contextlib.suppress(pysqlite3.Error):
                    found += [str(value) for (value,) in connection.execute(query)]
        yield " ".join(found)


def forget_index(state: Path) -> None:
    """Whatever a Weaviate server holds is of another past than the database."""
    file = state / "balas.db"
    if not file.exists():
        return
    engine = sqlite_engine(file)
    try:
        with engine.begin() as connection:
            standing.forget_all(connection)
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
