"""``python -m store.memory rebuild [--to embedded|weaviate]``: build a memory from SQL; say what it holds.

The embedded memory is built at every start of the bot; the command shows, without one, that what is stored
can be read. On a Weaviate server everything is written anew and then compared with SQL; cut off, the same
command goes on where it was.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection, func, select

from config.errors import ConfigError
from config.memory import MemoryKind
from config.settings import Settings
from store import changes, embedding_space
from store.doors import Store
from store.errors import StoreError, StoreMisconfigured
from store.memory.embedded import EmbeddedMemory
from store.opening import open_store
from store.schema import turns

DONE, LATER, MISCONFIGURED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 1 try again later, 2 somebody must change something first."""
    parser = argparse.ArgumentParser(
        prog="python -m store.memory", description="Ingatan bot: indeks atas apa yang ada di database."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    rebuild = commands.add_parser("rebuild", help="bangun ulang indeks dari database dan tampilkan isinya")
    rebuild.add_argument(
        "--to",
        choices=[kind.value for kind in MemoryKind],
        help="ingatan yang dibangun ulang (bawaan: yang ada di MEMORY)",
    )
    options = parser.parse_args(arguments)
    try:
        settings = Settings.load()
        kind = MemoryKind(options.to) if options.to else settings.memory.kind
        if kind is MemoryKind.WEAVIATE:
            return asyncio.run(_rebuild_weaviate(settings))
        asyncio.run(_rebuild(settings))
    except KeyboardInterrupt:
        print("Dihentikan. Perintah yang sama melanjutkannya.", file=sys.stderr)
        return LATER
    except ConfigError as exc:
        print(f"Pengaturan belum benar:\n{exc}", file=sys.stderr)
        return MISCONFIGURED
    except StoreMisconfigured as exc:
        print(f"Database belum bisa dipakai: {exc}", file=sys.stderr)
        return MISCONFIGURED
    except StoreError as exc:
        print(f"Database sedang tidak bisa dipakai: {exc}. Coba lagi sebentar.", file=sys.stderr)
        return LATER
    return DONE


async def _check_space(settings: Settings, store: Store) -> None:
    model = settings.model
    await store.read(
        lambda connection: embedding_space.check(
            connection, model.embedding_model, model.embedding_dimensions
        )
    )


async def _rebuild_weaviate(settings: Settings) -> int:
    # Only here: it brings a library of its own.
    from store.memory.weaviate.errors import WeaviateError, WeaviateRefuses
    from store.memory.weaviate.rebuilding import rebuild

    store = await open_store(settings)
    try:
        await _check_space(settings, store)
        with _progress() as on_progress:
            found = await rebuild(store, settings.memory, on_progress)
    except WeaviateRefuses as exc:
        print(f"Server Weaviate menolak: {exc}", file=sys.stderr)
        return MISCONFIGURED
    except WeaviateError as exc:
        print(
            f"Server Weaviate sedang tidak bisa dipakai: {exc}\nPerintah yang sama melanjutkannya.",
            file=sys.stderr,
        )
        return LATER
    finally:
        await store.close()
    print(
        f"Pengetahuan: generasi {found.generation}, {found.passages_findable} dari {found.passages} potongan."
    )
    print(f"Percakapan: {found.turns_on_server} dari {found.turns}.")
    print(f"Contoh yang dibandingkan: {found.sampled}, yang berbeda: {found.differing}.")
    if not found.is_good:
        print("Isinya belum sama dengan database; jalankan perintah yang sama sekali lagi.", file=sys.stderr)
        return LATER
    return DONE


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, a line at every tenth of the way elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("Mengisi Weaviate", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


class _Lines:
    def __init__(self) -> None:
        self._last = -1

    def __call__(self, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth != self._last:
            self._last = tenth
            print(f"Mengisi Weaviate: {done} dari {total} perubahan", file=sys.stderr, flush=True)


async def _rebuild(settings: Settings) -> None:
    store = await open_store(settings)
    try:
        await _check_space(settings, store)
        memory = EmbeddedMemory(store)
        began = time.monotonic()
        await memory.open()
        took_s = time.monotonic() - began
        counted, customers, with_vector, last = await store.read(_count, slow=True)
        await memory.close()
    finally:
        await store.close()
    print(
        f"Pengetahuan: generasi {memory.generation}, {memory.passage_count} potongan, "
        f"{memory.vector_count} di antaranya dengan vektor (dibangun dalam {took_s:.1f} detik)."
    )
    print(f"Percakapan: {counted} dari {customers} pelanggan, {with_vector} di antaranya dengan vektor.")
    print(f"Catatan perubahan: sampai nomor {last}.")


def _count(connection: Connection) -> tuple[int, int, int, int]:
    counts = select(
        func.count(), func.count(turns.c.customer_id.distinct()), func.count(turns.c.model)
    ).select_from(turns)
    row = connection.execute(counts).one()
    return int(row[0]), int(row[1]), int(row[2]), changes.last_seq(connection)


if __name__ == "__main__":
    sys.exit(main())
