"""Each database's INSERT is imported when it is used, and made into a statement once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table
from sqlalchemy.dialects import postgresql, sqlite

from store.upsert import ByDialect

PROJECT = Path(__file__).resolve().parents[3]
TABLE = Table("t", MetaData(), Column("id", Integer, primary_key=True))
# All that a bot on SQLite has in its store.
IMPORTED = """
import sys
import bot.assembly, store.sqlite
sys.exit("postgresql" if "sqlalchemy.dialects.postgresql" in sys.modules else 0)
"""


def test_a_statement_is_made_once_for_each_database_in_its_own_words() -> None:
    made = []

    def make(insert: Any) -> Any:
        made.append(insert)
        return insert(TABLE).on_conflict_do_nothing()

    statements = ByDialect(make)
    assert statements["sqlite"] is statements["sqlite"]
    assert isinstance(statements["sqlite"], sqlite.Insert)
    assert isinstance(statements["postgresql"], postgresql.Insert)
    assert made == [sqlite.insert, postgresql.insert]


def test_a_shop_without_postgresql_does_not_load_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
