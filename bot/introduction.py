"""The introduction: the privacy notice rides on the first answer of a new customer, never by itself.

He counts as introduced when that answer is committed. Whatever keeps it from him afterwards says so here, and
the next answer has the notice.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from config.wording import Wording
from store import customers


def ride(connection: Connection, wording: Wording, customer_id: int, text: str) -> str:
    """The answer with the notice behind it."""
    customers.introduced(connection, customer_id)
    return text + rider(wording)


def rider(wording: Wording) -> str:
    """What stands behind an answer that has the notice."""
    return f"\n\n{_notice(wording)}"


def not_sent(connection: Connection, wording: Wording, outbox_ids: Sequence[int]) -> None:
    """These messages reach nobody; the notice may have been on one of them."""
    customers.not_introduced(connection, outbox_ids, notice=_notice(wording))


def _notice(wording: Wording) -> str:
    return wording.say("pengantar")
