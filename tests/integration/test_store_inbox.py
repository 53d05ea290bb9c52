"""The inbox on both databases: an event is new once, whoever brings it and however often."""

from __future__ import annotations

import asyncio

from store import inbox
from store.doors import Store
from store.inbox import RawEvent


def event(message_id: str, *, chat: str = "c") -> RawEvent:
    return RawEvent(
        account="utama", chat=chat, sender="s", message_id=message_id, kind="text", codec="t/1", raw=b"{}"
    )


async def test_an_event_is_new_the_first_time_and_never_again(store: Store) -> None:
    assert await store.write(lambda c: inbox.record(c, event("1")))
    assert not await store.write(lambda c: inbox.record(c, event("1")))
    assert await store.write(lambda c: inbox.record(c, event("2")))
    # Ids are the sender's own: the same one in another chat is another message.
    assert await store.write(lambda c: inbox.record(c, event("1", chat="d")))


async def test_of_many_who_bring_the_same_event_at_once_one_is_told_that_it_is_new(store: Store) -> None:
    told = await asyncio.gather(
        *(asyncio.to_thread(store.record, lambda c: inbox.record(c, event("1"))) for _ in range(8))
    )
    assert sorted(told) == [False] * 7 + [True]
