"""``python -m bot.handoffs``: what customers still wait for, and answering it without the owner's room.

Exit codes: 0 done; 1 not done, and why.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sqlalchemy import Connection, select

from bot.command import DONE, one_line, refuse, run_command
from bot.message import clean
from bot.people import People, RoomAddress
from bot.relay import is_learnt, offer_faq, relay
from config.settings import Settings
from config.shop import Shop
from config.spans import span_ms
from config.wording import Wording
from store import handoffs
from store.doors import Store
from store.handoffs import Handoff
from store.schema import notices, outbox

_SHOWN = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    options = _parser().parse_args(arguments)

    async def work(settings: Settings, store: Store) -> int:
        if options.answer is None:
            return await _show(settings, store)
        number, text = options.answer
        return await _answer(settings, store, number, clean(text))

    return run_command(work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot.handoffs", description="Pertanyaan pelanggan yang menunggu jawaban orang."
    )
    parser.add_argument(
        "--answer",
        nargs=2,
        metavar=("NOMOR", "TEKS"),
        help="kirim jawaban untuk pertanyaan #NOMOR, seperti membalas pemberitahuannya di Ruang Admin",
    )
    return parser


async def _show(settings: Settings, store: Store) -> int:
    people = _people(settings, RoomAddress(account=settings.account, transport="", chat=None))

    def read(connection: Connection) -> list[tuple[Handoff, str, str]]:
        return [
            (waiting, *people.label(connection, waiting.customer_id, waiting.customer_name))
            for waiting in handoffs.list_open(connection, settings.account, limit=_SHOWN)
        ]

    waiting = await store.read(read, slow=True)
    if not waiting:
        print("Semua sudah terjawab, tidak ada yang menunggu.")
        return DONE
    print(f"{len(waiting)} pertanyaan menunggu jawaban:\n")
    for handoff, name, number in waiting:
        who = one_line(name) if name == number else f"{one_line(name)} ({number})"
        print(f"#{handoff.id}  {who}, {span_ms(handoff.age_ms)} yang lalu")
        print(f"    {one_line(handoff.question)}")
    print('\nMenjawab: python -m bot.handoffs --answer NOMOR "jawabannya"')
    return DONE


async def _answer(settings: Settings, store: Store, number: str, text: str) -> int:
    digits = number.removeprefix("#")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 19):
        return refuse(f"{number!r} bukan nomor pertanyaan; lihat nomornya dengan: python -m bot.handoffs")
    if not text:
        return refuse("Jawabannya kosong; tulis teksnya di antara tanda kutip.")

    def answer(connection: Connection) -> tuple[Handoff | None, str, bool]:
        handoff = handoffs.get(connection, int(digits))
        room = None if handoff is None else _room_of(connection, settings.account, handoff)
        if handoff is None or room is None:
            return None, "", False
        people = _people(settings, room)
        name, _ = people.label(connection, handoff.customer_id, handoff.customer_name)
        sent = relay(connection, people, handoff, text)
        if sent and is_learnt(handoff, None):
            offer_faq(connection, people, handoff, text)
        return handoff, one_line(name), sent

    handoff, name, sent = await store.write(answer)
    if handoff is None:
        return refuse(f"Tidak ada pertanyaan #{digits}; lihat daftarnya dengan: python -m bot.handoffs")
    if not sent:
        return refuse(f"Pertanyaan #{digits} dari {name} sudah dijawab, jadi yang ini tidak dikirim.")
    print(f"Jawaban untuk {name} masuk antrean; bot yang sedang berjalan mengirimnya dalam hitungan detik.")
    return DONE


def _room_of(connection: Connection, account: str, handoff: Handoff) -> RoomAddress | None:
    """Where the owner was told of it and by which transport; None when it is of another account.

    This process runs no channel, so it goes by what the bot wrote when it made the promise.
    """
    told = connection.execute(
        select(outbox.c.transport, outbox.c.chat)
        .join(notices, notices.c.outbox_id == outbox.c.id)
        .where(notices.c.handoff_id == handoff.id, outbox.c.account == account)
        .order_by(outbox.c.id.desc())
        .limit(1)
    ).first()
    if told is not None:
        return RoomAddress(account=account, transport=told[0], chat=told[1])
    # Without a room there is no notice, but the promise itself went out in the customer's chat.
    promised = connection.execute(
        select(outbox.c.transport)
        .where(outbox.c.account == account, outbox.c.customer_id == handoff.customer_id)
        .order_by(outbox.c.id.desc())
        .limit(1)
    ).scalar()
    return None if promised is None else RoomAddress(account=account, transport=promised, chat=None)


def _people(settings: Settings, room: RoomAddress) -> People:
    shop = Shop.load(settings.data_dir, name=settings.shop_name)
    return People(
        room=room,
        shop=shop,
        wording=Wording.load(settings.data_dir, shop),
        remind_after_s=settings.bot.handoff_reminder_s,
    )


if __name__ == "__main__":
    sys.exit(main())
