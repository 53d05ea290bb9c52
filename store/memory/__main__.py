"""``python -m store.memory rebuild``: build the embedded memory from SQL, and say what it holds.

The bot does the same at every start. The command shows, without one, that what is stored can be read.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from config.errors import ConfigError
from config.settings import Settings
from store import changes, embedding_space
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
    commands.add_parser("rebuild", help="bangun ulang indeks dari database dan tampilkan isinya")
    parser.parse_args(arguments)
    try:
        asyncio.run(_rebuild(Settings.load()))
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


async def _rebuild(settings: Settings) -> None:
    store = await open_store(settings)
    try:
        model = settings.model
        await store.read(
            lambda connection: embedding_space.check(
                connection, model.embedding_model, model.embedding_dimensions
            )
        )
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
