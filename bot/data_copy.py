"""The copy of his data that a customer may ask for in his chat: all that is kept about him, as a text."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from billing.rupiah import format_rupiah
from bot.selling.sayings import brief
from config.wording import Wording
from store import customers, media, orders, turns
from store.attachments import Document
from store.turns import Author

FILE_NAME = "data-saya.txt"
MOST_TURNS = 10_000
MOST_ORDERS = 1_000
# In his own file he is the one who speaks.
_HIMSELF = "Saya"
_WHO = {Author.BOT: "Asisten", Author.HUMAN: "Toko", Author.AUTO: "Otomatis"}
_NOTHING = "-"


def copy_of(
    connection: Connection, account: str, customer_id: int, *, wording: Wording, zone: ZoneInfo
) -> Document:
    """His name and numbers, what was said, what he ordered and told for it, and the files that he sent."""
    customer = customers.get(connection, customer_id)
    numbers = ", ".join(found.user for found in customers.addresses_of(connection, customer_id))
    text = wording.say(
        "ekspor_isi",
        nama=(customer.name if customer is not None else None) or _NOTHING,
        nomor=numbers or _NOTHING,
        percakapan=_lines(_said(connection, customer_id, zone)),
        pesanan=_lines(_ordered(connection, account, customer_id, zone)),
        berkas=_lines(list(media.names_of(connection, customer_id))),
    )
    return Document(data=f"{text}\n".encode("utf-8", "replace"), filename=FILE_NAME, mimetype="text/plain")


def _said(connection: Connection, customer_id: int, zone: ZoneInfo) -> list[str]:
    lines: list[str] = []
    for turn in turns.recent(connection, customer_id, limit=MOST_TURNS):
        at = _moment(turn.created_ms, zone)
        lines += [f"[{at}] {_HIMSELF}: {turn.asked}"] if turn.asked else []
        lines += [f"[{at}] {_WHO.get(turn.author, 'Toko')}: {turn.replied}"] if turn.replied else []
    return lines


def _ordered(connection: Connection, account: str, customer_id: int, zone: ZoneInfo) -> list[str]:
    lines: list[str] = []
    for order in orders.of_customer(connection, account, customer_id, most=MOST_ORDERS):
        items = brief(orders.lines_of(connection, order.id))
        at, total = _moment(order.created_ms, zone), format_rupiah(order.total_idr)
        lines.append(f"[{at}] {order.id}: {items}, {total}")
        lines += [f"  {asked}: {told}" for asked, told in order.details.items()]
    return lines


def _moment(at_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%d/%m/%Y %H.%M")


def _lines(lines: list[str]) -> str:
    return "\n".join(lines) or _NOTHING
