"""The number that the bot is linked to, as the payment process reads it for its invoices."""

from __future__ import annotations

from bot import linked as written
from store import linked
from store.doors import Store


async def test_the_number_that_the_bot_logged_in_as_is_there_for_other_processes(store: Store) -> None:
    assert await store.read(lambda c: linked.number(c, "utama")) == ""
    await store.write(lambda c: written.note_paired(c, "utama"))
    assert await store.read(lambda c: linked.number(c, "utama")) == ""
    await store.write(lambda c: written.note_number(c, "utama", "6281100000001"))
    assert await store.read(lambda c: linked.number(c, "utama")) == "6281100000001"
    assert await store.read(lambda c: linked.number(c, "lain")) == ""
