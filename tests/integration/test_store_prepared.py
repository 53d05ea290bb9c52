"""Prepared statements on both databases: rows as SQLAlchemy gives them, clear refusals of the rest."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update

from store import meta as facts
from store.doors import Store
from store.prepared import Prepared
from store.schema import changes, meta, now_ms

_BY_KEY = select(meta.c.key, meta.c.value).where(meta.c.key == bindparam("wanted"))


async def test_rows_are_those_of_sqlalchemy_by_name_and_by_place(store: Store) -> None:
    await store.write(lambda c: facts.put(c, "a", "1"))
    found, theirs = await store.read(
        lambda c: (
            Prepared(_BY_KEY).execute(c, {"wanted": "a"}).one(),
            c.execute(_BY_KEY, {"wanted": "a"}).one(),
        )
    )
    assert tuple(found) == tuple(theirs) == ("a", "1")
    assert (found.key, found[1], found._asdict()) == (theirs.key, theirs[1], theirs._asdict())


async def test_values_and_columns_go_through_their_types(store: Store) -> None:
    put = Prepared(insert(changes).values(created_ms=now_ms(), entity="turn").returning(changes.c.tombstone))
    one = {"ref": "1", "customer_id": None, "tombstone": True}
    given, kept = await store.write(
        lambda c: (put.execute(c, one).scalar_one(), c.execute(select(changes.c.entity, changes.c.ref)).all())
    )
    assert given is True
    assert [tuple(row) for row in kept] == [("turn", "1")]


async def test_it_tells_how_many_rows_it_changed_and_what_it_found(store: Store) -> None:
    await store.write(lambda c: facts.put(c, "a", "1"))
    change = Prepared(update(meta).where(meta.c.key == bindparam("wanted")).values(value=bindparam("new")))
    counts = await store.write(
        lambda c: [change.execute(c, {"wanted": key, "new": "2"}).rowcount for key in ("a", "b")]
    )
    assert counts == [1, 0]
    nothing = await store.read(lambda c: Prepared(_BY_KEY).execute(c, {"wanted": "b"}))
    assert (nothing.first(), nothing.scalar(), nothing.all()) == (None, None, [])


async def test_many_values_are_taken_in_their_order(store: Store) -> None:
    put = Prepared(insert(meta))
    await store.write(lambda c: put.execute_many(c, [{"key": key, "value": key} for key in "bac"]))
    await store.write(lambda c: put.execute_many(c, []))
    assert [await store.read(lambda c, key=key: facts.get(c, key)) for key in "abc"] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("statement", "values", "why"),
    [
        (_BY_KEY, {}, "no value is given for wanted"),
        (_BY_KEY, {"wanted": "a", "other": 1}, "nothing takes ..other"),
        (
            select(meta.c.key).where(meta.c.key.in_(bindparam("some", expanding=True))),
            {"some": ["a"]},
            "a list",
        ),
    ],
)
async def test_what_it_cannot_do_on_sqlite_it_refuses_by_name(
    sqlite_store: Store, statement: Any, values: dict[str, object], why: str
) -> None:
    with pytest.raises(TypeError, match=why):
        await sqlite_store.read(lambda c: Prepared(statement).execute(c, values))


async def test_other_values_than_the_first_time_are_refused(sqlite_store: Store) -> None:
    statement = Prepared(_BY_KEY)
    await sqlite_store.read(lambda c: statement.execute(c, {"wanted": "a"}))
    with pytest.raises(TypeError, match="prepared for other values"):
        await sqlite_store.read(lambda c: statement.execute(c, {"wanted": "a", "more": 1}))
