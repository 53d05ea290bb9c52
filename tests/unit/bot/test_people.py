"""What is promised when, and what the owner reads about a customer."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from bot.people import MAX_QUOTED_CHARS, People, RoomAddress
from config.shop import Shop
from config.wording import Wording
from store import customers, handoffs
from store.customers import Address
from store.handoffs import Reason
from store.schema import outbox
from store.sqlite import SqliteStore

HOURS = 'nama = "Toko Uji"\n[jam_buka]\nsenin = "08.00-17.00"\nselasa = "09.00-17.00"\n'


@pytest.fixture
def people(tmp_path: Path) -> People:
    (tmp_path / "toko.toml").write_text(HOURS, encoding="utf-8")
    shop = Shop.load(tmp_path, name=None)
    room = RoomAddress(account="utama", transport="terminal", chat="owner")
    return People(room=room, shop=shop, wording=Wording.load(tmp_path, shop), remind_after_s=60)


# 2 November 2026 is a Monday.
SILENT = {Reason.WAITING, Reason.LATE, Reason.CORRECTED, Reason.ORDER}


@pytest.mark.parametrize("reason", sorted(set(Reason) - SILENT))
@pytest.mark.parametrize(
    ("moment", "back"),
    [
        ("2026-11-02T10:00:00+07:00", None),
        ("2026-11-02T07:59:00+07:00", "nanti 08.00 WIB"),
        ("2026-11-02T17:01:00+07:00", "besok 09.00 WIB"),
        ("2026-11-04T12:00:00+07:00", "Senin 08.00 WIB"),
        ("2026-11-02T03:30:00+00:00", None),
    ],
)
def test_a_promise_says_when_a_person_is_back_only_while_nobody_is_there(
    people: People, reason: Reason, moment: str, back: str | None
) -> None:
    text = people.promise(reason, at=datetime.fromisoformat(moment))
    assert "admin" in text.lower()
    assert ("online lagi" in text) == (back is not None)
    assert back is None or back.lower() in text.lower()


async def test_a_notice_shows_the_name_a_masked_number_a_link_and_a_shortened_question(
    people: People, sqlite_store: SqliteStore
) -> None:
    def hand_over(connection):  # type: ignore[no-untyped-def] # a job of the test, twice the same.
        customer, _ = customers.resolve(
            connection, "utama", [Address("s.whatsapp.net", "6281234567890")], name="Budi"
        )
        question = "x" * 1000
        first, second = (
            people.hand_over(
                connection, customer=customer, chat="c", question=question, reason=Reason.UNKNOWN
            )
            for _ in range(2)
        )
        return first, second, [row.body for row in connection.execute(outbox.select())]

    first, second, bodies = await sqlite_store.write(hand_over)
    assert first == second
    assert len(bodies) == 1
    assert "Budi (0812…90)" in bodies[0]
    assert "wa.me/6281234567890" in bodies[0]
    assert "x" * MAX_QUOTED_CHARS + "…" in bodies[0]
    assert "x" * (MAX_QUOTED_CHARS + 1) not in bodies[0]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (Address("s.whatsapp.net", "6281234567890"), "0812…90"),
        (Address("lid", "128394820384756"), "pelanggan 1"),
    ],
)
async def test_a_notice_says_once_what_stands_for_a_missing_name(
    people: People, sqlite_store: SqliteStore, address: Address, shown: str
) -> None:
    def hand_over(connection):  # type: ignore[no-untyped-def] # a job of the test.
        customer, _ = customers.resolve(connection, "utama", [address], name=None)
        people.hand_over(connection, customer=customer, chat="c", question="ada?", reason=Reason.UNKNOWN)
        return connection.execute(outbox.select()).one().body

    body = await sqlite_store.write(hand_over)
    assert body.splitlines()[0] == f"🔔 *Butuh jawaban*: {shown}"


async def test_somebody_without_name_and_number_still_has_a_label(
    people: People, sqlite_store: SqliteStore
) -> None:
    def label(connection):  # type: ignore[no-untyped-def] # a job of the test.
        customer, _ = customers.resolve(connection, "utama", [Address("lid", "abc")], name=None)
        return people.label(connection, customer.id, customer.name)

    name, number = await sqlite_store.write(label)
    assert name == number == "pelanggan 1"


async def test_without_a_room_the_handoff_is_kept_and_nothing_is_sent(
    people: People, sqlite_store: SqliteStore
) -> None:
    people.room = RoomAddress(account="utama", transport="terminal", chat=None)

    def hand_over(connection):  # type: ignore[no-untyped-def] # a job of the test.
        customer, _ = customers.resolve(connection, "utama", [Address("terminal", "budi")], name="Budi")
        people.hand_over(connection, customer=customer, chat="budi", question="?", reason=Reason.ASKED)
        return handoffs.list_open(connection, "utama"), connection.execute(outbox.select()).all()

    waiting, sent = await sqlite_store.write(hand_over)
    assert [handoff.question for handoff in waiting] == ["?"]
    assert sent == []
