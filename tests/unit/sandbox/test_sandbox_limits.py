"""Load meets none of the day's limits."""

from __future__ import annotations

from config.settings import keys
from sandbox.limits import UNLIMITED


def test_every_limit_of_a_day_that_the_product_has_is_lifted() -> None:
    assert {name for name, _ in keys() if "_DAILY_" in name} == set(UNLIMITED)
