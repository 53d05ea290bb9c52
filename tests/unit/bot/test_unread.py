"""What the owner reads about a message that could not be processed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection

from bot.channel import OWN
from bot.firstrun import ROOM_CODE
from bot.people import People, RoomAddress
from bot.posts import POST, POSTS
from bot.unread import Unread
from config.shop import Shop
from config.wording import Wording
from store import customers
from store.customers import Address
from store.schema import outbox
from store.sqlite import SqliteStore
from tests.contract.channel import FaultyChannel

LID = Address("lid", "128394820384756")
PHONE = Address("s.whatsapp.net", "6281234567890")
CHAT = "128394820384756@lid"


class BrokenChannel(FaultyChannel):
    """Its codec fails in a way that nobody foresaw."""

    def parse(self, event: Any) -> Any:
        raise RuntimeError("a fault of ours")


def message(**changed: Any) -> Any:
    """An inbox row from Budi, who has a phone number beside his hidden one."""
    said = {"text": "halo", "name": "Budi\nSantoso", "addresses": [LID, PHONE]}
    row = {
        "id": 1,
        "chat": CHAT,
        "sender": CHAT,
        "message_id": "m1",
        "kind": "text",
        "customer_id": None,
        "raw": json.dumps(said).encode(),
    }
    return SimpleNamespace(**(row | changed))


async def told(
    store: SqliteStore,
    folder: Path,
    row: Any,
    *,
    known: bool = False,
    channel: type[FaultyChannel] = FaultyChannel,
) -> list[Any]:
    """What is queued for the owner when the row is given up."""
    shop = Shop(nama="Toko Uji")
    people = People(
        room=RoomAddress(account="utama", transport="uji", chat="owner"),
        shop=shop,
        wording=Wording.load(folder, shop),
        remind_after_s=60,
    )

    def give_up(connection: Connection) -> list[Any]:
        if known:
            customers.resolve(connection, "utama", [LID, PHONE], name="Budi")
        Unread(channel=channel(), people=people).tell(connection, row, "why")
        return list(connection.execute(outbox.select()).all())

    return await store.write(give_up)


async def test_a_known_customer_is_named_with_a_masked_number_and_a_link(
    sqlite_store: SqliteStore, tmp_path: Path
) -> None:
    [notice] = await told(sqlite_store, tmp_path, message(), known=True)
    first, *_, last = notice.body.splitlines()
    assert first.startswith("⚠️ Ada pesan dari Budi (0812…90) yang gagal kuproses.")
    assert last == "wa.me/6281234567890"
    # With him goes what was told about him.
    assert notice.customer_id == 1


@pytest.mark.parametrize("channel", [FaultyChannel, BrokenChannel])
async def test_words_that_nobody_can_read_are_known_by_their_chat(
    sqlite_store: SqliteStore, tmp_path: Path, channel: type[FaultyChannel]
) -> None:
    [notice] = await told(sqlite_store, tmp_path, message(raw=b"{"), known=True, channel=channel)
    assert "dari Budi (0812…90) yang" in notice.body


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (message(), "Budi Santoso (0812…90)"),
        (message(raw=b"{"), "seorang pelanggan"),
        (message(raw=b"{", chat="6281234567890@s.whatsapp.net"), "0812…90"),
    ],
)
async def test_a_strangers_addresses_are_not_shown(
    sqlite_store: SqliteStore, tmp_path: Path, row: Any, shown: str
) -> None:
    [notice] = await told(sqlite_store, tmp_path, row)
    assert f"dari {shown} yang" in notice.body
    assert "@" not in notice.body


async def test_what_the_shop_wrote_itself_is_told_as_that(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    row = message(sender=OWN, kind=OWN)
    [notice] = await told(sqlite_store, tmp_path, row, known=True)
    assert notice.body.startswith("⚠️ Yang ditulis dari HP toko di chat Budi (0812…90) gagal kuproses")


async def test_in_the_room_it_is_asked_for_once_more(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    [notice] = await told(sqlite_store, tmp_path, message(chat="owner", sender="owner"))
    assert notice.body == "⚠️ Pesan yang barusan di sini gagal kuproses. Tolong kirim sekali lagi ya."


@pytest.mark.parametrize(
    "row", [message(kind=POST, chat=POSTS, sender=OWN), message(kind=ROOM_CODE, chat="120363@g.us")]
)
async def test_what_nobody_waits_for_is_not_told(sqlite_store: SqliteStore, tmp_path: Path, row: Any) -> None:
    assert await told(sqlite_store, tmp_path, row) == []
