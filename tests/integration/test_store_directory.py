"""Finding a customer by what a person would type, on both databases."""

from __future__ import annotations

import pytest

from store import customers, directory, turns
from store.customers import Address
from store.doors import Store
from store.turns import Author, NewTurn

PEOPLE = {
    "Budi Santoso": Address("s.whatsapp.net", "6281234567890"),
    "Ani 100%": Address("s.whatsapp.net", "6285700001111"),
    "BUDIMAN": Address("terminal", "budiman"),
}


@pytest.fixture
async def people(store: Store) -> Store:
    for name, address in PEOPLE.items():
        await store.write(lambda c, n=name, a=address: customers.resolve(c, "utama", [a], name=n))  # type: ignore[misc] # mypy infers no default
    await store.write(lambda c: customers.resolve(c, "lain", [Address("t", "budi")], name="Budi lain"))
    return store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["BUDIMAN", "Ani 100%", "Budi Santoso"]),
        ("budi", ["BUDIMAN", "Budi Santoso"]),
        (" Santoso ", ["Budi Santoso"]),
        ("0812-3456-7890", ["Budi Santoso"]),
        ("+62 812 3456 7890", ["Budi Santoso"]),
        ("34567", ["Budi Santoso"]),
        ("budiman", ["BUDIMAN"]),
        ("#2", ["Ani 100%"]),
        # Signs of the database's own patterns mean themselves; few digits mean nobody's number.
        ("%", ["Ani 100%"]),
        ("_", []),
        ("62", []),
        ("#99", []),
        ("' OR 1=1 --", []),
    ],
)
async def test_a_customer_is_found_by_name_number_or_place(
    people: Store, query: str, found: list[str]
) -> None:
    entries = await people.read(lambda c: directory.search(c, "utama", query))
    assert [entry.name for entry in entries] == found


async def test_an_entry_tells_how_much_and_when_was_talked(people: Store) -> None:
    (silent,) = await people.read(lambda c: directory.search(c, "utama", "ani"))
    assert (silent.exchanges, silent.seen_ms) == (0, None)
    turn = NewTurn(customer_id=silent.id, asked="a", replied="b", author=Author.BOT, search_text="a")
    await people.write(lambda c: turns.append(c, turn))
    (talked,) = await people.read(lambda c: directory.search(c, "utama", "ani"))
    assert talked.exchanges == 1
    assert talked.seen_ms is not None
    assert 0 <= talked.seen_ms < 60_000
    assert talked.users == ("6285700001111",)
