"""Makes the Weaviate index follow the change log. First fill, outage and rebuild are all this.

A change only says which rows to look at; what is written is what SQL holds now, and what it no longer holds
is deleted. So a batch may be applied twice, or cut off anywhere and begun anew: the cursor moves behind it.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection

from config.memory import MemorySettings
from store import changes, embedding_space, knowledge, owners
from store.changes import Change
from store.doors import Store
from store.embedding_space import Space
from store.knowledge import StoredChunk
from store.memory.weaviate import reach, schema, standing
from store.memory.weaviate.collections import Collections, TurnRow, read_turns
from store.memory.weaviate.errors import WeaviateAway, WeaviateError, WeaviateRefuses
from store.memory.weaviate.link import Link, Work
from store.memory.weaviate.schema import Identity
from store.memory.weaviate.standing import LeaseLost, Standing
from store.memory.weaviate.sweep import Sweep

log = structlog.get_logger(__name__)

# Read from the log at once; written to the server in portions of their own.
CHANGES_AT_ONCE = 400
# A portion must be through well within a call's bound, also on a busy server with a large index.
PORTION = 100
_SMALLEST_PORTION = 5
# Now and then, in case the server was killed and started between two of our calls.
_CHECK_EVERY_S = 60.0
# After a write whose outcome nobody knows the server may still apply it: everything is looked through anew
# when that can no longer happen.
_SWEEP_AFTER_DOUBT_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """One look at SQL: where the index stands and what it lacks."""

    standing: Standing | None
    installation: str | None
    space: Space | None
    found: list[Change]
    rows: list[TurnRow]
    generation: int
    chunks: list[StoredChunk] | None  # the current generation, when the index lacks it


class Follower:
    """Brings one index up to date. ``behind`` says whether it lacks something that SQL has."""

    def __init__(
        self,
        store: Store,
        settings: MemorySettings,
        link: Link,
        *,
        portion: int = PORTION,
        every_s: float = 0.0,
    ) -> None:
        self._store = store
        self._settings = settings
        self._prefix = settings.weaviate_prefix
        self._link = link
        self._holder = owners.new_instance_id("memory")
        self._most = portion
        self._portion = portion
        self._every_s = every_s
        self._due_s = 0.0
        self.collections = Collections(settings)
        self.behind = True
        # Nothing is left to be applied, though a rebuild may not be verified yet.
        self.is_filled = False
        self.generation = 0
        self.space: Space | None = None
        # The identity that was last seen on the server; None until it was, and after every failure.
        self._seen: Identity | None = None
        self._sweep: Sweep | None = None
        self._sweep_due_s: float | None = 0.0
        self._check_due_s = 0.0

    async def close(self) -> None:
        """Let another process write at once, instead of when the lease runs out."""
        await self._store.write(lambda c: standing.release(c, self._prefix, self._holder))

    @property
    def is_current(self) -> bool:
        """Whether the index is ours, was looked at since the last failure, and lacks nothing of weight."""
        return self._seen is not None and not self.behind

    def doubt(self) -> None:
        """The server failed: look at its collections again before they are used."""
        self._seen = None
        self.behind = True
        self.is_filled = False
        self._check_due_s = 0.0
        if self._sweep_due_s is None and self._sweep is None:
            self._sweep_due_s = time.monotonic() + _SWEEP_AFTER_DOUBT_S

    async def follow(
        self, *, for_s: float, progress: Callable[[int], None] | None = None, look_through: bool = True
    ) -> int:
        """Apply what the log holds beyond the cursor, batch by batch, for about so long; how many changes.

        ``progress`` hears the cursor after every batch. Raises ``WeaviateError``.
        An index that lacks nothing of weight is told of what is new every ``every_s`` only, all at once.
        """
        began = time.monotonic()
        deadline = began + for_s
        applied = 0
        try:
            while not self.is_current or began >= self._due_s:
                done = await self._step(progress)
                if done is None:
                    break
                applied += done
                if time.monotonic() >= deadline:
                    break
            if applied:
                self._due_s = time.monotonic() + self._every_s
            if look_through and not self.behind:
                await self._look_through()
        except LeaseLost:
            log.info("memory_lease_lost", holder=self._holder)
        except WeaviateError:
            self.doubt()
            raise
        return applied

    async def rebuild(self) -> None:
        """Begin anew with empty collections, or go on with a rebuild that was cut off.

        Takes the collections over whoever made them. Raises ``WeaviateError``, ``LeaseLost``.
        """
        taken = await self._take(by_force=True)
        if taken is None:
            raise LeaseLost
        if not taken.rebuilding:
            seen = await self._store.write(self._look_and_name)
            await self._create(seen, taken, rebuilding=True)

    async def begin_again(self) -> None:
        """Follow the log from its beginning once more; what is there stays there."""
        taken = await self._take()
        if taken is None:
            raise LeaseLost
        await self._save(dataclasses.replace(taken, cursor=0, generation=0))
        self.is_filled = False

    async def finish_rebuild(self) -> None:
        """The rebuilt index was verified."""
        taken = await self._take()
        if taken is None:
            raise LeaseLost
        await self._save(dataclasses.replace(taken, rebuilding=False))

    async def _step(self, progress: Callable[[int], None] | None) -> int | None:
        """One batch; the number of its changes, None when nothing is left or another process does it."""
        seen = await self._store.read(self._look, slow=self.behind)
        if not await self._is_ours(seen):
            return 0
        assert seen.standing is not None
        self.space = seen.space
        self.generation = seen.standing.generation
        if not seen.found and seen.chunks is None:
            if not await self._is_findable(seen):
                return 0
            self.is_filled = True
            self.behind = seen.standing.rebuilding
            return None
        # A few turns that the poll has not brought over yet are no reason to search elsewhere.
        self.is_filled = False
        self.behind = self.behind or seen.standing.rebuilding or len(seen.found) >= CHANGES_AT_ONCE
        taken = await self._take()
        if taken is None:
            return None
        if (taken.index, taken.cursor, taken.generation) != (
            seen.standing.index,
            seen.standing.cursor,
            seen.standing.generation,
        ):
            # Another process was faster; what was read is old.
            return 0
        after = await self._apply(seen, taken)
        await self._save(after)
        self.generation = after.generation
        if progress is not None:
            progress(after.cursor)
        return len(seen.found)

    async def _is_findable(self, seen: _Seen) -> bool:
        """Whether the vector search finds what was written last; what it does not is written anew."""
        now = time.monotonic()
        if now < self._check_due_s:
            return True
        if (taken := await self._take()) is None:
            # Whoever writes looks after it.
            self._check_due_s = now + _CHECK_EVERY_S
            return True
        mended = await reach.mend_newest(self._store, self._link, self.collections, seen.space)
        whole = await reach.knowledge_is_whole(
            self._store, self._link, self.collections, taken.generation, seen.space
        )
        if mended or not whole:
            log.warning("memory_index_mended", turns=mended, knowledge=not whole)
        if not whole:
            await self._save(dataclasses.replace(taken, generation=0))
            return False
        self._check_due_s = now + _CHECK_EVERY_S
        return True

    def _look(self, connection: Connection) -> _Seen:
        found = standing.read(connection, self._prefix)
        space = embedding_space.stored(connection)
        entries = changes.after(connection, found.cursor if found else 0, limit=CHANGES_AT_ONCE)
        ids = sorted({int(entry.ref) for entry in entries if entry.entity == changes.TURN})
        generation = knowledge.current_generation(connection)
        lacking = generation != (found.generation if found else 0)
        return _Seen(
            standing=found,
            installation=standing.installation(connection),
            space=space,
            found=entries,
            rows=read_turns(connection, ids, space),
            generation=generation,
            chunks=knowledge.load_all(connection) if lacking else None,
        )

    def _look_and_name(self, connection: Connection) -> _Seen:
        standing.name_installation(connection)
        return self._look(connection)

    async def _is_ours(self, seen: _Seen) -> bool:
        """Whether the collections are those that the standing is about; makes them when there are none.

        Raises ``WeaviateRefuses`` when they are somebody else's, or not as they must be.
        """
        known = self._seen
        if known is not None and seen.standing is not None and _fits(known, seen, seen.standing):
            return True
        found = await self._link.call(partial(schema.read, settings=self._settings), patient=True)
        if found is not None and seen.standing is not None and _fits(found, seen, seen.standing):
            self._seen = found
            return True
        if found is not None and found.installation != seen.installation:
            raise WeaviateRefuses(
                f"the collections {self.collections.names.turns} and {self.collections.names.knowledge} on "
                "the Weaviate server belong to another database. Set WEAVIATE_PREFIX to a name of its own, "
                f"or take them over with: {schema.REBUILD_COMMAND}"
            )
        taken = await self._take()
        if taken is None:
            raise WeaviateAway("another process is filling the Weaviate index")
        # Nothing is there; or it is of an earlier past of this database, or of another embedding model.
        await self._create(await self._store.write(self._look_and_name), taken, rebuilding=taken.rebuilding)
        return False

    async def _create(self, seen: _Seen, taken: Standing, *, rebuilding: bool) -> None:
        assert seen.installation is not None
        identity = Identity(
            installation=seen.installation, index=standing.new_index(), space=_space_text(seen.space)
        )
        log.info("memory_index_created", index=identity.index, space=identity.space)
        # First what is written down: an empty index with an old cursor would stay empty.
        fresh = Standing(index=identity.index, rebuilding=rebuilding)
        await self._save(dataclasses.replace(fresh, until_ms=taken.until_ms))
        await self._link.call(
            partial(schema.create, settings=self._settings, identity=identity), patient=True
        )
        self._seen = identity
        self.generation = 0
        self.behind = True

    async def _apply(self, seen: _Seen, taken: Standing) -> Standing:
        gone_customers = {
            int(entry.ref) for entry in seen.found if entry.entity == changes.CUSTOMER and entry.tombstone
        }
        mentioned = {int(entry.ref) for entry in seen.found if entry.entity == changes.TURN}
        gone_turns = sorted(mentioned - {row.id for row in seen.rows})
        await self._write(seen.rows)
        for customer_id in sorted(gone_customers):
            await self._written(partial(self.collections.delete_sender, customer_id=customer_id))
        if gone_turns:
            await self._written(partial(self.collections.delete_turns, ids=gone_turns))
        after = taken
        if seen.chunks is not None:
            await self._publish(seen.chunks, seen.generation, seen.space, before=taken.generation)
            after = dataclasses.replace(after, generation=seen.generation)
        if seen.found:
            after = dataclasses.replace(after, cursor=seen.found[-1].seq)
        return after

    async def _publish(
        self, chunks: Sequence[StoredChunk], generation: int, space: Space | None, *, before: int
    ) -> None:
        """Write a whole generation. The one before stays until the next, for searches under way."""
        # What is there of it already may be what the vector search does not find.
        await self._written(partial(self.collections.delete_generation, generation=generation))
        await self._written(partial(self.collections.delete_generations, before=min(before, generation)))
        start = 0
        while start < len(chunks):
            portion = chunks[start : start + self._portion]
            await self._written(
                partial(self.collections.put_chunks, chunks=portion, generation=generation, space=space)
            )
            start += len(portion)
            await self._keep_lease()

    async def _write(self, rows: Sequence[TurnRow]) -> None:
        start = 0
        while start < len(rows):
            portion = rows[start : start + self._portion]
            await self._written(partial(self.collections.put_turns, rows=portion))
            start += len(portion)

    async def _written(self, work: Work[None]) -> None:
        """A write; after one that took too long the next ones are smaller."""
        try:
            await self._link.call(work, patient=True)
        except WeaviateError:
            self._portion = max(_SMALLEST_PORTION, self._portion // 2)
            self._sweep_due_s = time.monotonic() + _SWEEP_AFTER_DOUBT_S
            self._sweep = None
            raise
        self._portion = min(self._most, self._portion + _SMALLEST_PORTION)

    async def _take(self, *, by_force: bool = False) -> Standing | None:
        return await self._store.write(
            lambda c: standing.take(c, self._prefix, self._holder, by_force=by_force)
        )

    async def _keep_lease(self) -> None:
        if await self._take() is None:
            raise LeaseLost

    async def _save(self, after: Standing) -> None:
        await self._store.write(lambda c: standing.save(c, self._prefix, self._holder, after))

    async def _look_through(self) -> None:
        """A page of comparing the server's turns with SQL's: at start, and after writes in doubt."""
        if self._sweep is None:
            if self._sweep_due_s is None or time.monotonic() < self._sweep_due_s:
                return
            if await self._take() is None:
                return
            self._sweep = await Sweep.begin(self._store, self._link, self.collections, self.space)
        if not await self._sweep.page():
            return
        result, self._sweep, self._sweep_due_s = self._sweep.result, None, None
        if result.strays or result.missing or result.mended:
            log.warning(
                "memory_index_differed",
                strays=result.strays,
                missing=result.missing,
                mended=result.mended,
            )
        if result.missing:
            taken = await self._take()
            if taken is not None:
                # Everything is written once more; that changes nothing where it is there already.
                await self._save(dataclasses.replace(taken, cursor=0))
                self.behind = True


def _fits(identity: Identity, seen: _Seen, where: Standing) -> bool:
    return identity == Identity(
        installation=seen.installation or "", index=where.index, space=_space_text(seen.space)
    )


def _space_text(space: Space | None) -> str:
    return "" if space is None else f"{space.dimensions} {space.model}"
