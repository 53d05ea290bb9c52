"""The two collections: what they must look like, creating them, and naming every difference.

An index that is not as it must be is never altered silently: answers would get worse and nobody would know
why. It is rebuilt by a command, or left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.memory import MemorySettings
from store.memory.weaviate.errors import WeaviateRefuses

if TYPE_CHECKING:
    from weaviate import WeaviateAsyncClient

REBUILD_COMMAND = "python -m store.memory rebuild --to weaviate"
# Raised when the collections or what is written into them change their meaning.
VERSION = 1
_MARK = "balas"

# name: data type, tokenization, filterable, searchable by words, filterable by range
_Property = tuple[str, str | None, bool, bool, bool]
_TURNS: dict[str, _Property] = {
    "turn_id": ("int", None, False, False, True),
    # Matched as a whole: "12" must never find "123".
    "sender_id": ("text", "field", True, False, False),
    "words": ("text", "word", False, True, False),
    "asked": ("text", "field", False, False, False),
    "replied": ("text", "field", False, False, False),
    "author": ("text", "field", False, False, False),
    "created_ms": ("int", None, False, False, False),
}
_KNOWLEDGE: dict[str, _Property] = {
    "chunk_id": ("text", "field", False, False, False),
    "generation": ("int", None, True, False, True),
    "words": ("text", "word", False, True, False),
    "title": ("text", "field", False, False, False),
    "text": ("text", "field", False, False, False),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Whose collections they are and what their vectors mean; written into their description."""

    installation: str  # the database that they are an index of
    index: str  # a new one at each rebuild
    space: str  # embedding model and dimensions, empty when words alone are searched

    def __str__(self) -> str:
        return f"{_MARK} {VERSION} {self.installation} {self.index} {self.space}".strip()

    @classmethod
    def parse(cls, description: str | None) -> Identity | None:
        """What is written there; None when that was not written by this version of Balas."""
        parts = (description or "").split(" ", 4)
        if len(parts) < 4 or parts[:2] != [_MARK, str(VERSION)]:
            return None
        return cls(installation=parts[2], index=parts[3], space=parts[4] if len(parts) > 4 else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """The collections' names."""

    turns: str
    knowledge: str

    @classmethod
    def of(cls, settings: MemorySettings) -> Names:
        prefix = settings.weaviate_prefix
        return cls(turns=f"{prefix}ChatTurn", knowledge=f"{prefix}Knowledge")


async def create(client: WeaviateAsyncClient, settings: MemorySettings, identity: Identity) -> None:
    """Make both collections, in place of any that are there."""
    names = Names.of(settings)
    for name, properties in ((names.turns, _TURNS), (names.knowledge, _KNOWLEDGE)):
        if await client.collections.exists(name):
            await client.collections.delete(name)
        await _create(client, name, properties, identity, replicas=settings.weaviate_replicas)


async def drop(client: WeaviateAsyncClient, settings: MemorySettings) -> None:
    """Delete both collections with everything in them."""
    names = Names.of(settings)
    for name in (names.turns, names.knowledge):
        await client.collections.delete(name)


async def read(client: WeaviateAsyncClient, settings: MemorySettings) -> Identity | None:
    """Whose the collections are; None when they are not there (both or one of them).

    Raises ``WeaviateRefuses`` with every difference when they are not as they must be.
    """
    names = Names.of(settings)
    found: list[Identity] = []
    differences: list[str] = []
    for name, properties in ((names.turns, _TURNS), (names.knowledge, _KNOWLEDGE)):
        if not await client.collections.exists(name):
            continue
        config = (await client.collections.use(name).config.get()).to_dict()
        identity = Identity.parse(config.get("description"))
        if identity is None:
            differences.append(f"{name} was not made by this version of Balas")
        else:
            found.append(identity)
            differences += _differences(name, config, properties, replicas=settings.weaviate_replicas)
    if differences:
        raise WeaviateRefuses(
            f"the collections on the Weaviate server are not as Balas needs them: {'; '.join(differences)}. "
            f"Set WEAVIATE_PREFIX to a name of its own, or build them anew with: {REBUILD_COMMAND}"
        )
    return found[0] if len(found) == 2 and found[0] == found[1] else None


def _differences(
    name: str, config: dict[str, Any], properties: dict[str, _Property], *, replicas: int
) -> list[str]:
    wanted = _wanted(properties, replicas=replicas)
    actual = _actual(config)
    return [
        f"{name}: {key} is {_shown(actual.get(key))}, must be {_shown(wanted.get(key))}"
        for key in sorted(wanted.keys() | actual.keys())
        if wanted.get(key) != actual.get(key)
    ]


def _shown(value: object) -> str:
    return "missing" if value is None else str(value)


def _wanted(properties: dict[str, _Property], *, replicas: int) -> dict[str, object]:
    return {
        **{f"property {name}": found for name, found in properties.items()},
        "vector index": ("hnsw", "cosine", "rq 8"),
        "stopwords": "none",
        "replicas": replicas,
    }


def _actual(config: dict[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {
        f"property {one['name']}": (
            one["dataType"][0],
            one.get("tokenization"),
            bool(one.get("indexFilterable")),
            bool(one.get("indexSearchable")),
            bool(one.get("indexRangeFilters")),
        )
        for one in config["properties"]
    }
    vectors = (config.get("vectorConfig") or {}).get("default")
    if vectors is not None:
        index = vectors["vectorIndexConfig"]
        quantized = f"rq {index['rq']['bits']}" if index.get("rq", {}).get("enabled") else "not quantized"
        found["vector index"] = (vectors["vectorIndexType"], index.get("distanceMetric"), quantized)
    found["stopwords"] = config["invertedIndexConfig"]["stopwords"]["preset"]
    found["replicas"] = config["replicationConfig"]["factor"]
    return found


async def _create(
    client: WeaviateAsyncClient,
    name: str,
    properties: dict[str, _Property],
    identity: Identity,
    *,
    replicas: int,
) -> None:
    from weaviate.classes.config import (
        Configure,
        DataType,
        Property,
        StopwordsPreset,
        Tokenization,
        VectorDistances,
    )

    quantizer = Configure.VectorIndex.Quantizer.rq(bits=8)
    await client.collections.create(
        name,
        description=str(identity),
        properties=[
            Property(
                name=key,
                data_type=DataType(kind),
                tokenization=Tokenization(tokenization) if tokenization else None,
                index_filterable=filterable,
                index_searchable=searchable,
                index_range_filters=by_range,
            )
            for key, (kind, tokenization, filterable, searchable, by_range) in properties.items()
        ],
        # One index for everybody, filtered by sender: a filter that leaves fewer than 40,000 is scanned
        # exactly, so nobody's past is found less well than a search through all of it would.
        vector_config=Configure.Vectors.self_provided(
            vector_index_config=Configure.VectorIndex.hnsw(
                distance_metric=VectorDistances.COSINE, quantizer=quantizer
            )
        ),
        # English stopwords would be taken out otherwise.
        inverted_index_config=Configure.inverted_index(stopwords_preset=StopwordsPreset.NONE),
        replication_config=Configure.replication(factor=replicas),
    )
