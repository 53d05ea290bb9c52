"""Removes: what Starsender does not take goes to the bot (``StarsenderDelivery._to_the_bot``)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from billing.starsender import Cause
from tests.mutants import Replace
from webhooks.starsender import StarsenderDelivery


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        def _to_the_bot(
            self: StarsenderDelivery,
            connection: Connection,
            row: Row[Any],
            cause: Cause,
            reason: str,
            *,
            doubtful: bool,
        ) -> None:
            return None

        return _to_the_bot

    replace("webhooks.starsender.StarsenderDelivery._to_the_bot", make)
