"""The owner hears once of a memory server that is away, and once that it is back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from bot.memory_watch import PATIENCE_S, MemoryWatch
from bot.people import People, RoomAddress
from config.wording import Wording
from store import alerts
from store.memory.index import MemoryIndex
from store.sqlite import SqliteStore


@dataclass
class Memory:
    """A memory with the trouble that a test gives it."""

    trouble: str | None = None
    looks: int = 0

    async def catch_up(self) -> int:
        self.looks += 1
        return 0


@dataclass
class Told:
    """What the owner was told, instead of the rows of a room."""

    room: RoomAddress = field(default_factory=lambda: RoomAddress(account="utama", transport="x", chat="o"))
    wording: Wording = field(
        default_factory=lambda: Wording(
            sentences={
                "admin_ingatan_mati": "admin_ingatan_mati {sebab}",
                "admin_ingatan_pulih": "admin_ingatan_pulih",
                "admin_rincian_log": "admin_rincian_log",
            },
            shop={},
        )
    )
    bodies: list[str] = field(default_factory=list)

    def notify(self, connection: Any, body: str, **more: Any) -> None:
        self.bodies.append(body)


class Scene:
    def __init__(self, store: SqliteStore) -> None:
        self.store, self.memory, self.told, self.now_s = store, Memory(), Told(), 0.0
        self.watch = self.new_watch()

    def new_watch(self) -> MemoryWatch:
        return MemoryWatch(
            store=self.store,
            memory=cast(MemoryIndex, self.memory),
            people=cast(People, self.told),
            clock=lambda: self.now_s,
        )

    async def go_on(self, trouble: str | None, *, for_s: float) -> None:
        """Look every half a second."""
        self.memory.trouble = trouble
        for _ in range(int(for_s * 2)):
            self.now_s += 0.5
            await self.watch.look()


@pytest.fixture
def scene(sqlite_store: SqliteStore) -> Scene:
    return Scene(sqlite_store)


async def test_an_outage_is_told_once_and_its_end_once(scene: Scene) -> None:
    await scene.go_on(None, for_s=60)
    assert scene.told.bodies == []
    await scene.go_on("mati", for_s=3_600)
    assert scene.told.bodies == ["admin_ingatan_mati admin_rincian_log"]
    assert await scene.store.read(lambda c: alerts.active(c, "utama")) == [("memory:utama", "mati")]
    await scene.go_on(None, for_s=3_600)
    assert scene.told.bodies == ["admin_ingatan_mati admin_rincian_log", "admin_ingatan_pulih"]
    assert await scene.store.read(lambda c: alerts.active(c, "utama")) == []


async def test_a_server_that_was_only_restarted_is_told_to_nobody(scene: Scene) -> None:
    for _ in range(20):
        await scene.go_on("mati", for_s=PATIENCE_S - 1)
        await scene.go_on(None, for_s=PATIENCE_S - 1)
    assert scene.told.bodies == []


async def test_what_an_earlier_process_told_is_ended_by_the_next(scene: Scene) -> None:
    await scene.go_on("mati", for_s=60)
    scene.watch = scene.new_watch()
    await scene.go_on("mati", for_s=60)
    assert scene.told.bodies == ["admin_ingatan_mati admin_rincian_log"]
    scene.watch = scene.new_watch()
    await scene.go_on(None, for_s=60)
    assert scene.told.bodies == ["admin_ingatan_mati admin_rincian_log", "admin_ingatan_pulih"]


async def test_the_memory_follows_the_log_at_every_look(scene: Scene) -> None:
    await scene.go_on("mati", for_s=5)
    assert scene.memory.looks == 10
