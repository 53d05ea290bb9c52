"""Which embedding model and how many dimensions the stored vectors belong to.

Vectors of two models cannot be compared, and nothing fails when they are: the answers only get worse.
So the space is written down with the first vector, and another one is refused at start.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from store import meta
from store.errors import StoreMisconfigured

META_KEY = "embedding_space"
REEMBED_COMMAND = "python -m rag.ingest DATA_DIR --reembed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """An embedding model and the dimensions that it was asked for."""

    model: str
    dimensions: int

    def __str__(self) -> str:
        return f"{self.model} with {self.dimensions} dimensions"


def stored(connection: Connection) -> Space | None:
    """The space of the stored vectors; None before the first one."""
    value = meta.get(connection, META_KEY)
    if value is None:
        return None
    dimensions, _, model = value.partition(" ")
    return Space(model=model, dimensions=int(dimensions))


def check(connection: Connection, model: str | None, dimensions: int | None) -> None:
    """Refuse to mix models: raises ``StoreMisconfigured`` when vectors of another space are stored.

    Words alone (``model`` None) are always allowed: the stored vectors wait for their model's return.
    """
    if model is None or dimensions is None:
        return
    found = stored(connection)
    wanted = Space(model=model, dimensions=dimensions)
    if found is not None and found != wanted:
        raise StoreMisconfigured(
            f"the stored vectors are of {found}, but the settings name {wanted}; set EMBEDDING_MODEL and "
            f"EMBEDDING_DIMENSIONS back, or compute every vector anew with: {REEMBED_COMMAND}"
        )


def settle(connection: Connection, model: str | None, dimensions: int | None) -> None:
    """``check``, and write the space down when none is: call it before the first vector is stored."""
    check(connection, model, dimensions)
    if model is not None and dimensions is not None:
        replace(connection, Space(model=model, dimensions=dimensions))


def replace(connection: Connection, space: Space) -> None:
    """The stored vectors are of this space from now on, in the caller's transaction."""
    meta.put(connection, META_KEY, f"{space.dimensions} {space.model}")
