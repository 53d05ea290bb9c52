"""Which messages carry an invoice to its customer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.linked import note_number
from config.settings import Settings
from store import customers, orders
from store.doors import Store
from store.sqlite import SqliteStore
from tests.integration.invoices.shop import (
    ACCOUNT,
    NUMBER,
    SHOP_NUMBER,
    STARSENDER_NUMBER,
    make_paid,
    make_post,
    outbox_rows,
)

BY_STARSENDER = {
    "STARSENDER_KEY": "kunci-perangkat",
    "PUBLIC_URL": "https://bayar.toko.example",
    "STARSENDER_NUMBER": STARSENDER_NUMBER,
}

Make = Callable[..., Settings]


async def _post(
    store: Store, folder: Path, settings: Settings, **options: bool
) -> list[tuple[str, str, str]]:
    post = make_post(folder, settings)

    def write(connection: Connection) -> None:
        paid = make_paid(connection)
        assert post.post(connection, paid.invoice, paid.order, **options)

    await store.write(write)
    return [(row.transport, row.chat, row.kind) for row in await outbox_rows(store)]


@pytest.mark.parametrize("missing", ["STARSENDER_KEY", "PUBLIC_URL"])
async def test_without_a_key_or_a_public_address_the_bot_sends_it(
    store: Store, tmp_path: Path, make_settings: Make, missing: str
) -> None:
    settings = make_settings(**{**BY_STARSENDER, missing: ""})
    assert await _post(store, tmp_path, settings) == [("terminal", "budi", "document")]


async def test_from_the_shops_own_number_starsender_alone_sends_it_text_first(
    store: Store, tmp_path: Path, make_settings: Make
) -> None:
    settings = make_settings(**{**BY_STARSENDER, "STARSENDER_NUMBER": SHOP_NUMBER})
    assert await _post(store, tmp_path, settings) == [
        ("starsender", NUMBER, "text"),
        ("starsender", NUMBER, "document"),
    ]


async def test_from_another_number_it_comes_here_as_well(
    store: Store, tmp_path: Path, make_settings: Make
) -> None:
    rows = await _post(store, tmp_path, make_settings(**BY_STARSENDER))
    assert rows == [
        ("terminal", "budi", "document"),
        ("starsender", NUMBER, "text"),
        ("starsender", NUMBER, "document"),
    ]
    written = await outbox_rows(store)
    assert "Rp84.000" in written[1].body
    assert "INV/2026/11/0001" in written[2].body
    assert [row.document for row in written] == ["INV/2026/11/0001"] * 3


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, "081190000003"),
        ({"STARSENDER_NUMBER": "+65 8123 4567"}, "+6581234567"),
        ({"STARSENDER_NUMBER": SHOP_NUMBER}, ""),
        ({"STARSENDER_NUMBER": ""}, ""),
        ({"STARSENDER_KEY": ""}, ""),
        ({"PUBLIC_URL": ""}, ""),
    ],
)
async def test_another_number_is_named_before_anything_comes_from_it(
    sqlite_store: SqliteStore, tmp_path: Path, make_settings: Make, change: dict[str, str], shown: str
) -> None:
    post = make_post(tmp_path, make_settings(**{**BY_STARSENDER, **change}))
    assert await sqlite_store.read(lambda c: post.other_number(c, ACCOUNT)) == shown


async def test_the_shops_number_is_known_from_its_phone_where_no_setting_says_it(
    store: Store, tmp_path: Path, make_settings: Make
) -> None:
    post = replace(make_post(tmp_path, make_settings(**BY_STARSENDER)), shop_number=None)
    assert await store.read(lambda c: post.other_number(c, ACCOUNT)) == "081190000003"
    await store.write(lambda c: note_number(c, ACCOUNT, STARSENDER_NUMBER))
    assert await store.read(lambda c: post.other_number(c, ACCOUNT)) == ""

    def write(connection: Connection) -> None:
        paid = make_paid(connection)
        assert post.post(connection, paid.invoice, paid.order)

    await store.write(write)
    # Once, in the chat that the customer knows.
    assert [(row.transport, row.kind) for row in await outbox_rows(store)] == [
        ("starsender", "text"),
        ("starsender", "document"),
    ]


async def test_asked_for_once_more_it_comes_to_the_chat_where_he_asked(
    store: Store, tmp_path: Path, make_settings: Make
) -> None:
    rows = await _post(store, tmp_path, make_settings(**BY_STARSENDER), again=True)
    assert rows == [("terminal", "budi", "document")]


async def test_a_customer_whose_number_nobody_knows_gets_it_from_the_bot(
    store: Store, tmp_path: Path, make_settings: Make
) -> None:
    post = make_post(tmp_path, make_settings(**BY_STARSENDER))

    def write(connection: Connection) -> None:
        paid = make_paid(connection, number="")
        assert post.post(connection, paid.invoice, paid.order)

    await store.write(write)
    assert [(row.transport, row.kind) for row in await outbox_rows(store)] == [("terminal", "document")]


async def test_nothing_goes_to_a_customer_who_was_deleted(
    store: Store, tmp_path: Path, make_settings: Make
) -> None:
    post = make_post(tmp_path, make_settings(**BY_STARSENDER))
    paid = await store.write(make_paid)
    assert paid.order.customer_id is not None
    customer_id = paid.order.customer_id
    await store.write(lambda c: customers.forget(c, customer_id))
    left = await store.read(lambda c: orders.get(c, paid.order.id))
    assert left is not None
    assert not await store.write(lambda c: post.post(c, paid.invoice, left))
    assert not await store.write(lambda c: post.hand_over(c, paid.invoice, left, "apa pun"))
    assert await outbox_rows(store) == []
