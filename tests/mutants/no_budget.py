"""Removes: money is set aside only while the day's budget lasts (``store.usage.reserve``)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from store.usage import Budget, Reservation
from tests.mutants import Replace

ENDLESS = Budget(shop_idr=10**12, customer_idr=10**12)


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def reserve(connection: Connection, wanted: Reservation, budget: Budget) -> Any:
            return original(connection, wanted, ENDLESS)

        return reserve

    replace("store.usage.reserve", make)
