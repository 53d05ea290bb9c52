"""Unreadable messages and chats from before the pairing, on each database: who is asked, who is listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from store import customers, forgetting, inbox, past_chats, undecryptable
from store.customers import Address
from store.doors import Store
from store.inbox import RawEvent
from store.past_chats import PastChat
from store.schema import customers as customer_rows
from store.schema import past_chats as past_rows
from store.schema import undecryptable as unread_rows

ACCOUNT = "utama"
NOW_MS = 10_000_000_000_000  # by the network's clock: newer than anything that is too old


def address(name: str) -> Address:
    return Address("lid", name)


async def unreadable(store: Store, chat: str, message_id: str) -> None:
    def note(connection: Connection) -> None:
        customer, _ = customers.resolve(connection, ACCOUNT, [address(chat)], name=chat)
        undecryptable.note(connection, ACCOUNT, chat=chat, message_id=message_id, customer_id=customer.id)

    await store.write(note)


async def passes(store: Store, column: str, ms: int) -> None:
    await store.write(
        lambda c: c.execute(update(unread_rows).values({column: unread_rows.c[column] - ms})).close()
    )


async def asked(store: Store) -> list[tuple[str, str]]:
    if not await store.read(lambda c: undecryptable.any_due(c, ACCOUNT)):
        return []
    found = await store.write(lambda c: undecryptable.take_missing(c, ACCOUNT))
    return [(missing.chat, missing.message_id) for missing in found]


async def test_a_message_is_missed_after_half_a_minute_and_asked_for_once_an_hour(store: Store) -> None:
    await unreadable(store, "budi", "M1")
    await unreadable(store, "budi", "M1")
    assert await asked(store) == []
    await passes(store, "seen_ms", undecryptable.WAIT_MS)
    assert await asked(store) == [("budi", "M1")]
    await unreadable(store, "budi", "M2")
    await unreadable(store, "siti", "M3")
    await passes(store, "seen_ms", undecryptable.WAIT_MS)
    assert await asked(store) == [("siti", "M3")]
    await passes(store, "asked_ms", undecryptable.ASK_EVERY_MS)
    await unreadable(store, "budi", "M4")
    await passes(store, "seen_ms", undecryptable.WAIT_MS)
    assert await asked(store) == [("budi", "M4")]


async def test_two_missing_messages_of_one_chat_are_one_request(store: Store) -> None:
    await unreadable(store, "budi", "M1")
    await unreadable(store, "budi", "M2")
    await passes(store, "seen_ms", undecryptable.WAIT_MS)
    assert await asked(store) == [("budi", "M1")]
    assert await asked(store) == []


async def test_what_came_after_all_is_not_missed(store: Store) -> None:
    await unreadable(store, "budi", "M1")
    event = RawEvent(
        account=ACCOUNT, chat="budi", sender="budi", message_id="M1", kind="text", codec="uji/1", raw=b"{}"
    )
    await store.write(lambda c: inbox.record(c, event))
    await passes(store, "seen_ms", undecryptable.WAIT_MS)
    assert await asked(store) == []
    assert await store.read(lambda c: c.execute(select(unread_rows)).all()) == []


def chat(name: str, *, waiting: bool, last_ms: int = NOW_MS) -> PastChat:
    return PastChat(chat=f"{name}@lid", addresses=(address(name),), last_ms=last_ms, waiting=waiting)


async def told(store: Store, found: Sequence[PastChat]) -> None:
    await store.write(lambda c: past_chats.note(c, ACCOUNT, found))


async def quiet(store: Store) -> None:
    """The phone has told everything a while ago."""
    earlier = past_rows.c.told_ms - past_chats.QUIET_MS - 1000
    await store.write(lambda c: c.execute(update(past_rows).values(told_ms=earlier)).close())


async def listed(store: Store) -> int | None:
    """How many wait; None while the list is not complete or was given already."""
    if not await store.read(lambda c: past_chats.is_complete(c, ACCOUNT)):
        return None
    return len(await store.write(lambda c: past_chats.take_unanswered(c, ACCOUNT)))


async def test_the_list_is_given_once_when_the_phone_is_silent(store: Store) -> None:
    assert await listed(store) is None
    await told(store, [chat("budi", waiting=True), chat("siti", waiting=False), chat("dewi", waiting=True)])
    assert await listed(store) is None
    # Told again in a later portion: Dewi has her answer.
    await told(
        store, [chat("dewi", waiting=False, last_ms=NOW_MS + 1), chat("budi", waiting=False, last_ms=1)]
    )
    await quiet(store)
    assert await listed(store) == 1
    assert await listed(store) is None
    await told(store, [chat("agus", waiting=True)])
    await quiet(store)
    # A portion that comes late lists nobody anew.
    assert await listed(store) == 0
    assert await listed(store) is None


async def test_who_is_told_of_needs_no_introduction_and_can_be_forgotten(store: Store) -> None:
    await told(store, [chat("budi", waiting=True)])
    budi = await store.read(lambda c: customers.find(c, ACCOUNT, address("budi")))
    assert budi is not None
    assert budi.introduced
    await unreadable(store, "budi", "M1")
    await store.write(lambda c: customers.forget(c, budi.id))
    assert await store.read(lambda c: c.execute(select(past_rows)).all()) == []
    assert await store.read(lambda c: c.execute(select(unread_rows)).all()) == []


async def test_two_addresses_that_turn_out_to_be_one_person_keep_what_was_told(store: Store) -> None:
    await told(store, [chat("111", waiting=True)])
    await unreadable(store, "222", "M1")
    both = [address("111"), address("222")]
    await store.write(lambda c: customers.resolve(c, ACCOUNT, both, name=None))
    only = await store.read(lambda c: c.execute(select(customer_rows.c.id)).scalars().all())
    assert len(only) == 1
    owners = await store.read(
        lambda c: [
            *c.execute(select(past_rows.c.customer_id)).scalars(),
            *c.execute(select(unread_rows.c.customer_id)).scalars(),
        ]
    )
    assert owners == [*only, *only]


async def _merged(store: Store, before: Callable[[Connection, int, int], None]) -> Any:
    """The row of one person who was two, of whom ``before`` says something."""
    older, younger = address("111"), address("222")

    def merge(connection: Connection) -> Any:
        ids = [customers.resolve(connection, ACCOUNT, [one], name=None)[0].id for one in (older, younger)]
        before(connection, *ids)
        kept, _ = customers.resolve(connection, ACCOUNT, [older, younger], name=None)
        return connection.execute(select(customer_rows).where(customer_rows.c.id == kept.id)).one()

    return await store.write(merge)


async def test_who_was_left_out_in_one_chat_is_let_in_with_all_others_after_a_merge(store: Store) -> None:
    def left_out(connection: Connection, older: int, younger: int) -> None:
        customers.judge(connection, older, admitted=False)
        customers.keep_silent(connection, younger, for_ms=60_000, reason=customers.HUMAN)

    merged = await _merged(store, left_out)
    assert (merged.mode, merged.silent_reason) == ("off", "left_out")
    assert merged.judged_ms is not None
    await store.write(lambda c: customers.let_in_all(c, ACCOUNT))
    customer = await store.read(lambda c: customers.get(c, merged.id))
    assert customer is not None
    assert (customer.mode, customer.judged) == (None, False)
    assert customer.silent_ms > 0


async def test_who_is_ignored_by_name_in_one_chat_stays_so_after_a_merge(store: Store) -> None:
    def ignored(connection: Connection, older: int, younger: int) -> None:
        customers.judge(connection, older, admitted=False)
        customers.keep_silent(connection, older, for_ms=60_000, reason=customers.HUMAN)
        customers.set_mode(connection, younger, "off")

    merged = await _merged(store, ignored)
    await store.write(lambda c: customers.let_in_all(c, ACCOUNT))
    customer = await store.read(lambda c: customers.get(c, merged.id))
    assert customer is not None
    assert customer.mode == "off"


async def test_a_deletion_that_one_of_two_asked_for_is_the_persons(store: Store) -> None:
    merged = await _merged(store, lambda c, _older, younger: forgetting.ask(c, younger))
    assert await store.read(lambda c: forgetting.asked(c, ACCOUNT)) == [merged.id]
    assert await store.read(lambda c: forgetting.asked(c, "lain")) == []
    assert await store.write(lambda c: customers.forget(c, merged.id))
    assert await store.read(lambda c: forgetting.asked(c, ACCOUNT)) == []


async def test_a_customer_is_judged_once(store: Store) -> None:
    def judge(connection: Connection, admitted: bool) -> str | None:
        customer, _ = customers.resolve(connection, ACCOUNT, [address("budi")], name=None)
        customers.judge(connection, customer.id, admitted=admitted)
        found = customers.get(connection, customer.id)
        assert found is not None
        assert found.judged
        return found.mode

    assert await store.write(lambda c: judge(c, admitted=True)) is None
    assert await store.write(lambda c: judge(c, admitted=False)) is None
