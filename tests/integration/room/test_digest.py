"""The digest: its numbers recounted row by row, its day cut in the shop's zone, told once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, update

from bot import digest
from bot.digest import figures, window
from config.shop import Shop
from store.orders import Line, LineKind, create
from store.orders import State as OrderState
from store.schema import handoffs, inbox, orders, turns, usage
from store.takings import UNPAID, Sum, Takings
from tests.integration.tiny_shop import QUESTION, UNKNOWN, OpenShop, TinyShop

# Far from today, for which the bot under test has its own digest.
DAY = date(2031, 11, 24)


def _shop(zone: str) -> Shop:
    return Shop(nama="Toko Uji", zona_waktu=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Asia/Jakarta", DAY, 24),
        ("Asia/Jayapura", DAY, 24),
        # Clocks change here; nobody in Indonesia does that, but a day is a day.
        ("Europe/Amsterdam", date(2026, 3, 29), 23),
        ("Europe/Amsterdam", date(2026, 10, 25), 25),
    ],
)
def test_a_day_lasts_from_midnight_to_midnight_in_the_shops_zone(zone: str, day: date, hours: int) -> None:
    since, until = window(_shop(zone), day)
    assert until - since == hours * 3600 * 1000
    assert datetime.fromtimestamp(since / 1000, ZoneInfo(zone)).isoformat().startswith(f"{day}T00:00:00")
    # The next day begins where this one ends.
    assert window(_shop(zone), day + timedelta(days=1))[0] == until


def _execute(statement: Any, connection: Connection) -> None:
    connection.execute(statement)


async def _at(shop: TinyShop, moments: dict[str, list[int]]) -> None:
    """Move the rows of each table to these moments, in the order of their ids."""
    tables = {
        "inbox": (inbox, "recorded_ms"),
        "turns": (turns, "created_ms"),
        "handoffs": (handoffs, "created_ms"),
    }
    for name, times in moments.items():
        table, column = tables[name]
        rows = await shop.rows(table)
        assert len(rows) == len(times), (name, len(rows))
        for row, at_ms in zip(rows, times, strict=True):
            statement = update(table).where(table.c.id == row.id).values({column: at_ms})
            await shop.write(partial(_execute, statement))


def _recounted(day: tuple[int, int], rows: dict[str, list[Any]], room: str) -> dict[str, int]:
    """The same numbers, counted by hand from all rows."""

    def within(at_ms: int) -> bool:
        return day[0] <= at_ms < day[1]

    said = [row for row in rows["inbox"] if row.chat != room and within(row.recorded_ms)]
    replied = [row for row in rows["turns"] if row.replied and within(row.created_ms)]
    promised = [row for row in rows["handoffs"] if within(row.created_ms)]
    return {
        "messages": len(said),
        "chats": len({row.customer_id for row in said}),
        "answered": sum(row.author == "bot" for row in replied),
        "by_people": sum(row.author == "human" for row in replied),
        "handed_over": len(promised),
        "unanswered": sum(row.finished_ms is None for row in promised),
    }


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "Pacific/Kiritimati"])
async def test_the_numbers_are_those_of_the_tables_on_both_sides_of_midnight(
    open_shop: OpenShop, zone: str
) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    await shop.says("siti", UNKNOWN)
    await shop.owner("Ada Kak.", quote=shop.last_id())
    await shop.says("siti", "makasih")
    await shop.says("joko", "sewa tenda pesta besar bisa?")
    profile = _shop(zone)
    day = window(profile, DAY)
    last, first, next_day = day[1] - 1, day[0], day[1]
    await _at(
        shop,
        {
            # budi, siti, the owner, siti, joko.
            "inbox": [last, first, last, next_day, first - 1],
            "turns": [last, first, last, next_day],
            "handoffs": [first, last],
        },
    )
    rows = {
        name: await shop.rows(table)
        for name, table in (("inbox", inbox), ("turns", turns), ("handoffs", handoffs))
    }
    found = await shop.store.read(lambda c: figures(c, "utama", room="owner", shop=profile, day=DAY))
    expected = _recounted(day, rows, "owner")
    assert {name: getattr(found, name) for name in expected} == expected
    assert expected == {
        "messages": 2,
        "chats": 2,
        "answered": 2,
        "by_people": 1,
        "handed_over": 2,
        "unanswered": 1,
    }
    assert found.missing[0][1] == 1


async def test_the_cost_is_what_the_day_cost(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    [total] = [
        row
        for row in await shop.store.read(lambda c: list(c.execute(usage.select())))
        if row.customer_id == 0
    ]
    today = date.fromisoformat(total.day)
    found = await shop.store.read(
        lambda c: figures(c, "utama", room="owner", shop=_shop("Asia/Jakarta"), day=today)
    )
    assert found.cost_idr == total.spent_idr > 0


async def _tell(shop: TinyShop, moment: str) -> list[str]:
    before = len(shop.heard("owner"))
    await shop.running.digest.tell(datetime.fromisoformat(moment))
    shop.running.outbox_worker.wake()
    await shop.settled()
    return [text for text in shop.heard("owner")[before:] if "📊" in text]


async def test_the_digest_of_the_day_before_comes_once_from_its_hour_on(open_shop: OpenShop) -> None:
    shop = await open_shop(DIGEST_HOUR="9")
    await shop.says("budi", QUESTION)
    day = window(_shop("Asia/Jakarta"), DAY)
    await _at(shop, {"inbox": [day[0] + 1], "turns": [day[0] + 1]})
    assert await _tell(shop, "2031-11-25T08:59:00+07:00") == []
    [told] = await _tell(shop, "2031-11-25T02:00:00+00:00")
    assert "Toko Uji, Senin 24 November" in told
    assert "1 pesan dari 1 pelanggan" in told
    assert await _tell(shop, "2031-11-25T10:00:00+07:00") == []
    # At night the bot begins nothing; a day without anything has no digest.
    assert await _tell(shop, "2031-11-26T21:00:00+07:00") == []
    assert await _tell(shop, "2031-11-26T09:00:00+07:00") == []


async def test_the_digest_of_today_can_be_asked_for(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", UNKNOWN)
    [told] = await shop.owner("ringkasan")
    assert "1 pesan dari 1 pelanggan" in told
    assert f"1x {UNKNOWN}" in told
    assert digest.MOST_MISSING == 3


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "Asia/Jayapura"])
async def test_orders_and_payments_are_counted_on_the_day_of_the_shop_and_recounted_from_the_rows(
    open_shop: OpenShop, zone: str
) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    profile = _shop(zone)
    since, until = window(profile, DAY)
    waiting, paid = OrderState.WAITING_CONFIRMATION, OrderState.PAID
    # State, price, when it was ordered, when it was paid.
    made: list[tuple[OrderState, int, int, int | None]] = [
        (paid, 100_000, since, until - 1),
        (paid, 20_000, since - 1, since),  # ordered the day before, paid on this one
        (paid, 3_000, until - 1, until),  # ordered on this day, paid on the next
        (OrderState.PENDING, 500_000, until - 1, None),
        (waiting, 60_000, since + 1, None),
        (OrderState.CREATED, 7_000, until, None),
        (OrderState.EXPIRED, 800_000, since + 2, None),
        (waiting, 9_000, since - 1, None),
    ]
    await shop.write(partial(_order_all, customer_id=(await shop.customer("budi")).id, made=made))
    found = await shop.store.read(lambda c: figures(c, "utama", room="owner", shop=profile, day=DAY))
    rows = await shop.rows(orders)

    def counted(kept: Callable[[Any], bool]) -> Sum:
        some = [row for row in rows if kept(row)]
        return Sum(count=len(some), idr=sum(row.total_idr for row in some))

    def of_day(at_ms: int | None) -> bool:
        return at_ms is not None and since <= at_ms < until

    states = {state.value for state in UNPAID}
    assert found.takings == Takings(
        ordered=counted(lambda row: of_day(row.created_ms)),
        paid=counted(lambda row: of_day(row.paid_ms)),
        unpaid=counted(lambda row: of_day(row.created_ms) and row.state in states),
        unchecked=counted(lambda row: of_day(row.created_ms) and row.state == waiting),
    )
    assert found.takings == Takings(
        ordered=Sum(count=5, idr=1_463_000),
        paid=Sum(count=2, idr=120_000),
        unpaid=Sum(count=2, idr=560_000),
        unchecked=Sum(count=1, idr=60_000),
    )
    told = shop.running.digest.text(found, DAY)
    assert "Pesanan baru: 5 (Rp1.463.000)" in told
    assert "Lunas: 2 (Rp120.000), belum dibayar: 2 (Rp560.000)" in told
    assert "1 di antaranya lewat transfer bank" in told


def _order_all(
    connection: Connection, *, customer_id: int, made: list[tuple[OrderState, int, int, int | None]]
) -> None:
    for state, price, created_ms, paid_ms in made:
        line = Line(kind=LineKind.ITEM, code="IH20", name="Internet", quantity=1, unit_idr=price)
        order = create(
            connection,
            account="utama",
            customer_id=customer_id,
            transport="uji",
            chat="budi",
            lines=[line],
            expires_in_ms=10**12,
        )
        times = {"created_ms": created_ms, "paid_ms": paid_ms}
        connection.execute(update(orders).where(orders.c.id == order.id).values(state=state.value, **times))


async def test_a_day_on_which_nothing_was_sold_says_nothing_of_orders(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", QUESTION)
    [told] = await shop.owner("ringkasan")
    assert "Pesanan" not in told
    assert "\n\n" not in told
