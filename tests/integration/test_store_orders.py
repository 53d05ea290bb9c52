"""Orders, attempts, proposals, notifications and invoices in both databases."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text, update

from store import attempts, customers, handoffs, invoices, orders, outbox, payment_events, proposals, schema
from store import queue as queues
from store.attempts import Channel
from store.customers import Address
from store.doors import Store
from store.erasure import rows_left
from store.errors import StoreError
from store.orders import Line, LineKind, Method, Order, State
from store.outbox import Kind, NewMessage, Purpose
from store.postgres import PostgresStore
from store.schema import now_ms
from store.sqlite import SqliteStore

HOUR_MS = 3_600_000
LINES = (
    Line(
        kind=LineKind.ITEM,
        code="IH20",
        name="Paket 20 Mbps",
        quantity=3,
        unit_idr=250_000,
        after_payment="Kode: X",
    ),
    Line(kind=LineKind.SHIPPING, code="ONGKIR", name="Ongkir Sorong", quantity=1, unit_idr=45_000),
    Line(kind=LineKind.DISCOUNT, code="POTONGAN", name="Potongan admin", quantity=1, unit_idr=-20_000),
)
TOTAL_IDR = 775_000


async def a_customer(store: Store, number: str = "6281234567834") -> int:
    customer, _ = await store.write(
        lambda c: customers.resolve(c, "utama", [Address("s", number)], name="Budi")
    )
    return customer.id


def make_order(connection: Connection, customer_id: int, *, expires_in_ms: int = HOUR_MS) -> Order:
    return orders.create(
        connection,
        account="utama",
        customer_id=customer_id,
        transport="terminal",
        chat="budi",
        lines=LINES,
        expires_in_ms=expires_in_ms,
        details={"alamat": "Jl. Melati 3"},
    )


async def an_order(store: Store, *, expires_in_ms: int = HOUR_MS) -> Order:
    customer_id = await a_customer(store)
    return await store.write(lambda c: make_order(c, customer_id, expires_in_ms=expires_in_ms))


def issue(connection: Connection, order_id: str, *, period: str = "2026-10") -> invoices.Invoice:
    _, sequence = invoices.next_number(connection, "utama", period=period)
    return invoices.issue(
        connection,
        "utama",
        order_id=order_id,
        period=period,
        sequence=sequence,
        body={"customer": {"name": "Budi", "number": "6281234567834"}, "details": {"alamat": "Jl. Melati 3"}},
        link_valid_ms=HOUR_MS,
    )


async def test_an_order_keeps_what_it_was_made_of(store: Store) -> None:
    order = await an_order(store)
    assert re.fullmatch(r"B[0-9A-HJKMNP-TV-Z]{9}", order.id)
    assert (order.state, order.total_idr, order.method) == (State.CREATED, TOTAL_IDR, None)
    assert order.details == {"alamat": "Jl. Melati 3"}
    assert order.expires_ms - order.created_ms in range(HOUR_MS - 1000, HOUR_MS + 1000)
    assert await store.read(lambda c: orders.lines_of(c, order.id)) == LINES
    assert await store.read(lambda c: orders.get(c, order.id)) == order
    assert await store.write(lambda c: orders.lock(c, order.id)) == order
    assert await store.read(lambda c: orders.get(c, "B000000000")) is None


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (Line(kind=LineKind.ITEM, code="A", name="A", quantity=0, unit_idr=1000),),
        (Line(kind=LineKind.ITEM, code="A", name="A", quantity=1, unit_idr=0),),
        (*LINES, Line(kind=LineKind.DISCOUNT, code="P", name="P", quantity=1, unit_idr=-TOTAL_IDR)),
    ],
)
async def test_an_order_that_nobody_could_pay_is_refused(
    sqlite_store: SqliteStore, lines: tuple[Line, ...]
) -> None:
    customer_id = await a_customer(sqlite_store)
    with pytest.raises(ValueError, match="an order needs"):
        await sqlite_store.write(
            lambda c: orders.create(
                c,
                account="utama",
                customer_id=customer_id,
                transport="t",
                chat="budi",
                lines=lines,
                expires_in_ms=HOUR_MS,
            )
        )


async def test_a_state_moves_only_from_where_it_was_believed_to_be(store: Store) -> None:
    order = await an_order(store)
    assert await store.write(lambda c: orders.move(c, order.id, was=State.CREATED, to=State.PENDING))
    assert not await store.write(lambda c: orders.move(c, order.id, was=State.CREATED, to=State.PAID))
    await store.write(lambda c: orders.set_method(c, order.id, Method.MIDTRANS))
    await store.write(lambda c: orders.set_details(c, order.id, {"nama": "Budi"}))
    found = await store.read(lambda c: orders.get(c, order.id))
    assert found is not None
    assert (found.state, found.method, found.details) == (State.PENDING, Method.MIDTRANS, {"nama": "Budi"})


async def test_orders_are_found_when_their_time_is_over_or_near(store: Store) -> None:
    over = await an_order(store, expires_in_ms=-1000)
    near = await an_order(store, expires_in_ms=HOUR_MS // 2)
    far = await an_order(store, expires_in_ms=3 * HOUR_MS)
    for order in (over, near, far):
        await store.write(lambda c, id=order.id: orders.move(c, id, was=State.CREATED, to=State.PENDING))  # type: ignore[misc] # mypy infers no default

    assert [o.id for o in await store.read(lambda c: orders.past_expiry(c, "utama"))] == [over.id]
    assert await store.read(lambda c: orders.past_expiry(c, "lain")) == []
    due = await store.read(lambda c: orders.to_remind(c, "utama", within_ms=HOUR_MS))
    assert [o.id for o in due] == [near.id]
    await store.write(lambda c: orders.reminded(c, near.id))
    assert await store.read(lambda c: orders.to_remind(c, "utama", within_ms=HOUR_MS)) == []

    await store.write(lambda c: orders.move(c, over.id, was=State.PENDING, to=State.REVIEW))
    assert await store.read(lambda c: orders.past_expiry(c, "utama")) == []
    found = await store.read(lambda c: orders.of_customer(c, "utama", over.customer_id or 0))
    assert {o.id for o in found} == {over.id, near.id, far.id}


async def test_each_attempt_has_a_number_of_its_own_and_is_opened_once(store: Store) -> None:
    order = await an_order(store)
    first = await store.write(lambda c: attempts.create(c, order, channel=Channel.SNAP))
    second = await store.write(lambda c: attempts.create(c, order, channel=Channel.QRIS))
    assert [first.id, second.id] == [f"{order.id}-1", f"{order.id}-2"]
    assert (first.state, first.amount_idr, first.expires_ms) == (
        attempts.State.UNKNOWN,
        TOTAL_IDR,
        order.expires_ms,
    )

    assert await store.write(lambda c: attempts.opened(c, first.id, token="t", url="https://x"))
    assert not await store.write(lambda c: attempts.opened(c, first.id, token="u", url="https://y"))
    assert await store.write(lambda c: attempts.close(c, second.id))
    assert not await store.write(lambda c: attempts.close(c, second.id))
    found = await store.read(lambda c: attempts.of_order(c, order.id))
    assert [(a.state, a.token, a.url) for a in found] == [
        (attempts.State.OPEN, "t", "https://x"),
        (attempts.State.CLOSED, None, None),
    ]

    await store.write(
        lambda c: attempts.reported(
            c,
            first.id,
            state=attempts.State.PAID,
            status="settlement",
            transaction_id="tx",
            payment_type="qris",
        )
    )
    paid = await store.read(lambda c: attempts.get(c, first.id))
    assert paid is not None
    assert (paid.state, paid.status, paid.transaction_id) == (attempts.State.PAID, "settlement", "tx")
    assert await store.read(lambda c: attempts.get(c, "payment_notif_test_x")) is None


async def test_links_are_asked_about_often_while_they_are_young_and_seldom_later(store: Store) -> None:
    order = await an_order(store)
    attempt = await store.write(lambda c: attempts.create(c, order, channel=Channel.SNAP))

    async def due(*, created_ago_ms: int, checked_ago_ms: int | None) -> list[str]:
        await store.write(
            lambda c: c.execute(
                update(schema.attempts).values(
                    created_ms=now_ms() - created_ago_ms,
                    checked_ms=None if checked_ago_ms is None else now_ms() - checked_ago_ms,
                )
            ).close()
        )
        found = await store.read(
            lambda c: attempts.to_check(
                c, "utama", young_ms=900_000, often_ms=10_000, seldom_ms=60_000, most=5
            )
        )
        return [a.id for a in found]

    assert await due(created_ago_ms=5_000, checked_ago_ms=None) == []
    assert await due(created_ago_ms=15_000, checked_ago_ms=None) == [attempt.id]
    assert await due(created_ago_ms=100_000, checked_ago_ms=5_000) == []
    assert await due(created_ago_ms=100_000, checked_ago_ms=15_000) == [attempt.id]
    assert await due(created_ago_ms=1_000_000, checked_ago_ms=15_000) == []
    assert await due(created_ago_ms=1_000_000, checked_ago_ms=90_000) == [attempt.id]
    await store.write(lambda c: attempts.close(c, attempt.id))
    assert await due(created_ago_ms=1_000_000, checked_ago_ms=90_000) == []


async def test_a_proposal_is_one_a_customer_used_once_and_within_its_time(store: Store) -> None:
    customer_id = await a_customer(store)
    old = await store.write(
        lambda c: proposals.put(c, account="utama", customer_id=customer_id, lines=LINES[:1])
    )
    new = await store.write(lambda c: proposals.put(c, account="utama", customer_id=customer_id, lines=LINES))
    found = await store.read(lambda c: proposals.pending(c, customer_id))
    assert found is not None
    assert (found.id, found.lines, found.total_idr) == (new, LINES, TOTAL_IDR)

    assert not await store.write(lambda c: proposals.consume(c, old))
    used = await asyncio.gather(*(store.write(lambda c: proposals.consume(c, new)) for _ in range(10)))
    assert sorted(used) == [False] * 9 + [True]
    assert await store.read(lambda c: proposals.pending(c, customer_id)) is None

    late = await store.write(
        lambda c: proposals.put(c, account="utama", customer_id=customer_id, lines=LINES, valid_ms=0)
    )
    assert await store.read(lambda c: proposals.pending(c, customer_id)) is None
    assert not await store.write(lambda c: proposals.consume(c, late))


async def test_the_same_notification_is_kept_once_and_an_attempts_own_come_in_order(store: Store) -> None:
    kept = await asyncio.gather(
        *(
            store.write(lambda c: payment_events.record(c, "utama", key="B1-1", body=b'{"a": 1}'))
            for _ in range(20)
        )
    )
    assert sorted(kept) == [False] * 19 + [True]
    assert await store.write(lambda c: payment_events.record(c, "utama", key="B1-1", body=b'{"a": 2}'))
    assert await store.write(lambda c: payment_events.record(c, "utama", key="x" * 5000, body=b"{}"))

    queue = payment_events.payment_queue("utama")
    rows = await store.write(lambda c: queues.claim(c, queue, owner="satu", most=10))
    assert [(row.key[:4], bytes(row.body)) for row in rows] == [("B1-1", b'{"a": 1}'), ("xxxx", b"{}")]
    assert len(rows[1].key) == payment_events.MAX_KEY_CHARS
    await store.write(lambda c: queues.finish(c, queue, [rows[0].id], owner="satu"))
    rows = await store.write(lambda c: queues.claim(c, queue, owner="satu", most=10))
    assert [bytes(row.body) for row in rows] == [b'{"a": 2}']


async def test_the_age_of_the_oldest_notification_is_known(store: Store) -> None:
    assert await store.read(lambda c: payment_events.oldest_age_ms(c, "utama")) == 0
    await store.write(lambda c: payment_events.record(c, "utama", key="B1-1", body=b"{}"))
    await store.write(
        lambda c: c.execute(update(schema.payment_events).values(received_ms=now_ms() - 5_000)).close()
    )
    assert await store.read(lambda c: payment_events.oldest_age_ms(c, "utama")) >= 5_000


async def test_invoice_numbers_have_no_gap_under_concurrency_and_failures(store: Store) -> None:
    made = [await an_order(store) for _ in range(30)]

    def one(connection: Connection, number: int) -> str:
        invoice = issue(connection, made[number].id)
        if number % 3 == 0:
            raise ValueError("listrik padam")
        return invoice.number

    results = await asyncio.gather(
        *(store.write(lambda c, n=n: one(c, n)) for n in range(30)),  # type: ignore[misc] # mypy infers no default
        return_exceptions=True,
    )
    numbers = sorted(str(result) for result in results if isinstance(result, str))
    assert numbers == [f"INV/2026/10/{n:04d}" for n in range(1, 21)]
    assert sum(isinstance(result, ValueError) for result in results) == 10


async def test_each_month_and_each_account_counts_for_itself(store: Store) -> None:
    def take(connection: Connection) -> list[str]:
        return [
            invoices.next_number(connection, account, period=period)[0]
            for account, period in (("utama", "2026-10"), ("utama", "2026-11"), ("lain", "2026-10"))
            for _ in range(2)
        ]

    assert await store.write(take) == [
        *("INV/2026/10/0001", "INV/2026/10/0002"),
        *("INV/2026/11/0001", "INV/2026/11/0002"),
        *("INV/2026/10/0001", "INV/2026/10/0002"),
    ]
    assert invoices.number_of("2026-10", 12_345) == "INV/2026/10/12345"


async def test_an_order_has_one_invoice_and_its_address_ends(store: Store) -> None:
    order = await an_order(store)
    invoice = await store.write(lambda c: issue(c, order.id))
    with pytest.raises(StoreError):
        await store.write(lambda c: issue(c, order.id))
    assert len(invoice.token) >= 43
    assert await store.read(lambda c: invoices.by_token(c, "utama", invoice.token)) == invoice
    assert await store.read(lambda c: invoices.by_token(c, "lain", invoice.token)) is None
    assert await store.read(lambda c: invoices.of_order(c, order.id)) == invoice

    await store.write(lambda c: c.execute(update(schema.invoices).values(token_expires_ms=now_ms())).close())
    assert await store.read(lambda c: invoices.by_token(c, "utama", invoice.token)) is None

    await store.write(lambda c: invoices.delivered(c, "utama", invoice.number, by="starsender"))
    await store.write(lambda c: invoices.delivered(c, "utama", invoice.number, by="bot"))
    found = await store.read(lambda c: invoices.get(c, "utama", invoice.number))
    assert found is not None
    assert found.delivered_by == "starsender"
    assert found.delivered_ms is not None


async def test_a_document_in_the_outbox_names_its_invoice(store: Store) -> None:
    message = NewMessage(
        account="utama",
        transport="terminal",
        chat="budi",
        body="Ini invoicenya, Kak.",
        purpose=Purpose.ANSWER,
        kind=Kind.DOCUMENT,
        invoice="INV/2026/10/0001",
    )
    await store.write(lambda c: outbox.add(c, message))
    row = await store.read(lambda c: c.execute(select(schema.outbox)).one())
    assert (row.kind, row.document) == ("document", "INV/2026/10/0001")


async def test_quoting_an_order_notice_names_the_order(store: Store) -> None:
    order = await an_order(store)
    message = NewMessage(
        account="utama", transport="terminal", chat="ruang", body="💰", purpose=Purpose.NOTICE
    )

    def tell(connection: Connection) -> None:
        row_id = handoffs.add_notice(
            connection,
            message,
            kind=handoffs.TRANSFER_NOTICE,
            order_id=order.id,
            customer_id=order.customer_id,
        )
        connection.execute(
            update(schema.notices).where(schema.notices.c.outbox_id == row_id).values(message_id="M1")
        )

    await store.write(tell)
    notice = await store.read(lambda c: handoffs.quoted_notice(c, "utama", "M1"))
    assert notice is not None
    assert (notice.kind, notice.order_id, notice.customer_id) == ("transfer", order.id, order.customer_id)


async def test_a_deleted_customer_leaves_his_orders_and_invoices_without_him(store: Store) -> None:
    order = await an_order(store)
    customer_id = order.customer_id or 0

    def fill(connection: Connection) -> None:
        attempt = attempts.create(connection, order, channel=Channel.SNAP)
        payment_events.record(connection, "utama", key=attempt.id, body=b'{"phone": "6281234567834"}')
        proposals.put(connection, account="utama", customer_id=customer_id, lines=LINES)
        issue(connection, order.id)

    await store.write(fill)
    assert await store.write(lambda c: customers.forget(c, customer_id))
    assert await store.read(lambda c: rows_left(c, customer_id)) == {}
    found = await store.read(lambda c: orders.get(c, order.id))
    assert found is not None
    assert (found.customer_id, found.chat, found.details) == (None, None, {})
    assert found.total_idr == TOTAL_IDR
    invoice = await store.read(lambda c: invoices.of_order(c, order.id))
    assert invoice is not None
    assert invoice.body == {"customer": {"name": "Budi"}}
    assert await store.read(lambda c: c.execute(select(schema.payment_events.c.body)).scalar()) == b""


async def test_two_customers_who_turn_out_to_be_one_keep_their_orders_and_read_nothing_back(
    store: Store,
) -> None:
    first, second = await a_customer(store), await a_customer(store, "62811@lid")
    for customer_id in (first, second):
        await store.write(lambda c, id=customer_id: make_order(c, id))  # type: ignore[misc] # mypy infers no default
        await store.write(
            lambda c, id=customer_id: proposals.put(c, account="utama", customer_id=id, lines=LINES)  # type: ignore[misc] # mypy infers no default
        )
    both = [Address("s", "6281234567834"), Address("s", "62811@lid")]
    kept, merged = await store.write(lambda c: customers.resolve(c, "utama", both, name="Budi"))
    assert (kept.id, merged) == (first, [second])
    assert len(await store.read(lambda c: orders.of_customer(c, "utama", first))) == 2
    assert await store.read(lambda c: proposals.pending(c, first)) is None


def _plan(connection: Connection, run: Callable[[Connection], Any]) -> str:
    """What SQLite says about how it runs the statements of ``run``."""
    seen: list[tuple[str, Any]] = []

    def note(conn: object, cursor: object, statement: str, parameters: Any, *_: object) -> None:
        seen.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    run(connection)
    event.remove(connection, "before_cursor_execute", note)
    return "\n".join(
        str(row[-1])
        for statement, parameters in seen
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    )


@pytest.mark.parametrize(
    ("run", "index"),
    [
        pytest.param(
            lambda c: attempts.to_check(c, "utama", young_ms=1, often_ms=1, seldom_ms=1, most=5),
            "ix_attempts_open",
            id="links",
        ),
        pytest.param(lambda c: orders.past_expiry(c, "utama"), "ix_orders_unpaid", id="expiry"),
        pytest.param(lambda c: orders.to_remind(c, "utama", within_ms=1), "ix_orders_unpaid", id="reminders"),
        pytest.param(
            lambda c: payment_events.oldest_age_ms(c, "utama"), "ix_payment_events_open", id="oldest"
        ),
    ],
)
async def test_what_the_poller_looks_for_costs_what_is_open_and_not_what_is_past(
    sqlite_store: SqliteStore, run: Callable[[Connection], Any], index: str
) -> None:
    assert index in await sqlite_store.write(lambda c: _plan(c, run))


async def test_postgresql_holds_the_lock_of_an_order_until_the_transaction_ends(
    postgres_store: PostgresStore,
) -> None:
    order = await an_order(postgres_store)

    def locked(connection: Connection) -> int:
        orders.lock(connection, order.id)
        held = text(
            "SELECT count(*) FROM pg_locks WHERE mode = 'RowShareLock' AND relation = 'orders'::regclass"
        )
        return int(connection.execute(held).scalar_one())

    assert await postgres_store.write(locked) == 1
