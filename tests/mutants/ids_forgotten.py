"""Removes: a message id that is stored already is recognised (the conflict rule of ``store.inbox.record``).

The unique key stays in the database, so every event gets another kind: that makes its identity new.
"""

from __future__ import annotations

import secrets
from dataclasses import replace as changed
from typing import Any

from sqlalchemy import Connection

from store.inbox import RawEvent
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def record(connection: Connection, event: RawEvent) -> Any:
            return original(connection, changed(event, kind=f"{event.kind}-{secrets.token_hex(4)}"))

        return record

    replace("store.inbox.record", make)
