"""Invoices that no payment process sends: the bot finds them and sends them itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import update

from bot.invoices import StrandedInvoices
from config.settings import Settings
from store.doors import Store
from store.schema import outbox
from tests.integration.invoices.shop import (
    ACCOUNT,
    SHOP_NUMBER,
    make_paid,
    make_post,
    outbox_rows,
    to_customer,
)


async def test_the_bot_takes_what_waited_too_long_and_only_once(
    store: Store, tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(
        STARSENDER_KEY="kunci-perangkat",
        STARSENDER_NUMBER=SHOP_NUMBER,
        STARSENDER_PATIENCE_S="60",
        PUBLIC_URL="https://bayar.toko.example",
    )
    post = make_post(tmp_path, settings)
    stranded = StrandedInvoices(account=ACCOUNT, store=store, post=post)
    paid = await store.write(make_paid)
    await store.write(lambda c: post.post(c, paid.invoice, paid.order))
    await stranded.take()
    assert [state for _, _, state in to_customer(await outbox_rows(store))] == ["new", "new"]

    await store.write(lambda c: c.execute(update(outbox).values(created_ms=outbox.c.created_ms - 200_000)))
    for _ in range(2):
        await stranded.take()
    rows = await outbox_rows(store)
    assert to_customer(rows) == [
        ("starsender", "text", "dropped"),
        ("starsender", "document", "dropped"),
        ("terminal", "document", "new"),
    ]
    assert rows[-1].body.startswith("Kirim ulang ya Kak")
