"""Since when a number is linked: what is past, and how slowly a new number sends."""

from __future__ import annotations

import pytest

from bot import linked
from bot.linked import CAUTION, YOUNG_MS, Linked
from store.doors import Store

NOW_MS = 1_800_000_000_000


def test_what_was_sent_before_the_pairing_is_past_and_clocks_need_not_agree_to_the_second() -> None:
    known = Linked(paired_ms=NOW_MS)
    assert known.is_past(NOW_MS - 120_000)
    assert not known.is_past(NOW_MS - 20_000)
    assert not known.is_past(NOW_MS + 1)
    assert not known.is_past(None)
    assert not Linked().is_past(1)


@pytest.mark.parametrize(
    ("since_ms", "caution"),
    [(None, CAUTION), (NOW_MS - 1000, CAUTION), (NOW_MS - YOUNG_MS + 1, CAUTION), (NOW_MS - YOUNG_MS, 1.0)],
)
def test_a_number_sends_at_half_pace_for_seven_days(since_ms: int | None, caution: float) -> None:
    assert Linked(number="62811", since_ms=since_ms).caution(NOW_MS) == caution


async def test_another_number_is_new_and_the_same_one_on_a_new_device_is_not(store: Store) -> None:
    async def at(now_ms: int, job: object) -> Linked:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(linked, "_now_ms", lambda: now_ms)
            return await store.write(job)  # type: ignore[arg-type] # lambdas of the lines below.

    assert await store.read(lambda c: linked.read(c, "utama")) == Linked()
    await at(1000, lambda c: linked.note_paired(c, "utama"))
    first = await at(1001, lambda c: linked.note_number(c, "utama", "62811"))
    assert (first.paired_ms, first.since_ms) == (1000, 1001)
    await at(2000, lambda c: linked.note_paired(c, "utama"))
    same = await at(2001, lambda c: linked.note_number(c, "utama", "62811"))
    assert (same.paired_ms, same.since_ms) == (2000, 1001)
    other = await at(3001, lambda c: linked.note_number(c, "utama", "62822"))
    assert (other.paired_ms, other.since_ms) == (2000, 3001)
    assert await store.read(lambda c: linked.read(c, "utama")) == other
    assert await store.read(lambda c: linked.read(c, "kedua")) == Linked()
