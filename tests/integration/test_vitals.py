"""What the figures say is what the tables hold; what is past its time goes, and what is open stays."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, func, select, update

from store import customers, handoffs, outbox, usage, vitals
from store.customers import Address
from store.doors import Store
from store.handoffs import Reason
from store.inbox import RawEvent, record
from store.metrics import exposition
from store.outbox import NewMessage, Purpose
from store.schema import inbox as inbox_table
from store.schema import metadata, now_ms
from store.schema import outbox as outbox_table
from store.tidying import DAY_MS, tidy
from store.vitals import Vitals

ACCOUNT = "utama"
DAY = "2026-11-25"


def event(number: int) -> RawEvent:
    return RawEvent(
        account=ACCOUNT,
        chat=f"chat-{number}",
        sender="budi",
        message_id=f"m-{number}",
        kind="text",
        codec="uji/1",
        raw=b"{}",
    )


def message(chat: str, **changed: object) -> NewMessage:
    given = {"account": ACCOUNT, "transport": "whatsapp", "chat": chat, "body": "hai"}
    return NewMessage(**given, purpose=Purpose.ANSWER, **changed)  # type: ignore[arg-type]  # The names are real.


async def look(store: Store) -> Vitals:
    return await store.read(lambda c: vitals.read(c, ACCOUNT, day=DAY))


def finished(
    table: object, which: Callable[..., object], *, state: str, took_ms: int, days_ago: int = 0
) -> object:
    arrived = {"inbox": "recorded_ms", "outbox": "created_ms"}[table.name]  # type: ignore[attr-defined]  # A Table.
    ended = now_ms() - days_ago * DAY_MS - 1000
    return (
        update(table)  # type: ignore[arg-type]  # A Table.
        .where(which(table.c))  # type: ignore[attr-defined]  # A Table.
        .values(state=state, finished_ms=ended, **{arrived: ended - took_ms})
    )


async def test_an_empty_shop_has_empty_figures(sqlite_store: Store) -> None:
    found = await look(sqlite_store)
    assert (found.inbox.waiting, found.inbox.oldest_s, found.last_message_s) == (0, 0.0, None)
    assert (found.to_answer.p50, found.to_send.p95) == (None, None)
    assert found.alerts == []


async def test_waiting_held_and_given_up_are_told_apart(sqlite_store: Store) -> None:
    def fill(connection: Connection) -> None:
        for number in range(4):
            record(connection, event(number))
        outbox.add(connection, message("a"))
        outbox.add(connection, message("b", held=True))
        outbox.add(connection, message("c"))
        connection.execute(
            update(inbox_table).where(inbox_table.c.chat == "chat-0").values(recorded_ms=now_ms() - 90_000)
        )
        connection.execute(
            finished(inbox_table, lambda c: c.chat == "chat-1", state="done", took_ms=4_000)  # type: ignore[call-overload]  # An Update.
        )
        connection.execute(
            finished(outbox_table, lambda c: c.chat == "c", state="dead", took_ms=10)  # type: ignore[call-overload]  # An Update.
        )
        reservation = usage.Reservation(account=ACCOUNT, day=DAY, customer_id=1, amount_idr=50)
        assert usage.reserve(connection, reservation, usage.Budget(shop_idr=100, customer_idr=100))
        usage.settle(connection, reservation, usage.Spent(input_tokens=7, cost_idr=12))

    await sqlite_store.write(fill)
    found = await look(sqlite_store)
    assert found.inbox.waiting == 3
    assert 89 < found.inbox.oldest_s < 120
    assert (found.outbox["whatsapp"].waiting, found.outbox["whatsapp"].held) == (1, 1)
    assert found.dead_letters == {"inbox": 0, "outbox": 1, "payment_events": 0}
    assert found.to_answer.p50 == found.to_answer.p95 == 4.0
    assert found.today.cost_idr == 12
    families = {family.name: family for family in text_string_to_metric_families(exposition(found).decode())}
    assert families["balas_inbox_waiting"].samples[0].value == 3
    assert families["balas_cost_today_idr"].samples[0].value == 12
    by_queue = {sample.labels["queue"]: sample.value for sample in families["balas_dead_letters"].samples}
    assert by_queue["outbox"] == 1
    labels = {name for family in families.values() for sample in family.samples for name in sample.labels}
    assert labels <= {"transport", "queue", "quantile", "kind", "result", "reason", "state"}


async def test_without_a_database_the_figures_of_the_process_are_still_shown() -> None:
    text = exposition(None).decode()
    assert "balas_database_up 0.0" in text
    assert "balas_loop_lag_seconds" in text


async def test_what_is_past_its_time_goes_and_what_is_open_stays(sqlite_store: Store) -> None:
    def fill(connection: Connection) -> None:
        customer, _ = customers.resolve(
            connection, ACCOUNT, [Address("s.whatsapp.net", "62811")], name="Budi"
        )
        for number in range(3):
            record(connection, event(number))
        for chat in ("old", "young", "open"):
            outbox.add(connection, message(chat, customer_id=customer.id))
        # An old notice of a question that still waits, and one of a question that was answered.
        for question, done in (("masih ada?", False), ("sampai jam?", True)):
            handoff = handoffs.open_handoff(
                connection,
                account=ACCOUNT,
                customer_id=customer.id,
                chat="x",
                question=question,
                reason=Reason.UNKNOWN,
                remind_after_ms=1,
            )
            handoffs.add_notice(
                connection, message(f"room-{done}"), kind=handoffs.HANDOFF_NOTICE, handoff_id=handoff
            )
            if done:
                connection.execute(
                    update(handoffs.handoffs)
                    .where(handoffs.handoffs.c.id == handoff)
                    .values(finished_ms=now_ms() - 200 * DAY_MS, state="answered")
                )
        for table, chats, days in (
            (inbox_table, ("chat-0",), 181),
            (inbox_table, ("chat-1",), 179),
            (outbox_table, ("old", "room-False", "room-True"), 181),
            (outbox_table, ("young",), 179),
        ):
            connection.execute(
                finished(
                    table, lambda c, chats=chats: c.chat.in_(chats), state="done", took_ms=1, days_ago=days
                )  # type: ignore[misc,call-overload]  # An Update.
            )

    await sqlite_store.write(fill)
    assert await tidy(sqlite_store, days=180) > 0

    def left(connection: Connection) -> tuple[list[str], list[str], int]:
        return (
            list(connection.execute(select(inbox_table.c.chat).order_by(inbox_table.c.id)).scalars()),
            list(connection.execute(select(outbox_table.c.chat).order_by(outbox_table.c.id)).scalars()),
            connection.execute(select(func.count()).select_from(handoffs.handoffs)).scalar_one(),
        )

    assert await sqlite_store.read(left) == (["chat-1", "chat-2"], ["young", "open", "room-False"], 1)
    assert await tidy(sqlite_store, days=180) == 0


def test_whatever_hangs_on_a_row_that_goes_is_known_to_go_with_it() -> None:
    """A new table that points at these needs a line in ``store.tidying``, or the night's work fails."""
    tidied = {"inbox", "outbox", "handoffs", "notices"}
    pointing = {
        (table.name, key.column.table.name)
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in tidied
    }
    assert pointing == {
        ("attachments", "outbox"),
        ("forwards", "handoffs"),
        ("notices", "handoffs"),
        ("notices", "outbox"),
    }
