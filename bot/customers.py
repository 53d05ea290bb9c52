"""``python -m bot.customers``: who wrote, and deleting one of them for good.

Exit codes: 0 done; 1 not done, and why.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from sqlalchemy import Connection, select

from bot import learning
from bot.command import DONE, one_line, refuse, run_command
from bot.whatsapp import past
from config.redaction import mask_phone
from config.settings import Settings
from config.spans import span_ms
from store import customers, directory, media, past_questions
from store.directory import Entry
from store.doors import Store
from store.erasure import erase_deleted, rows_left
from store.handoffs import Learning
from store.media_files import MediaFiles
from store.schema import handoffs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    options = _parser().parse_args(arguments)

    async def work(settings: Settings, store: Store) -> int:
        query = " ".join(options.query)
        if options.command == "list":
            return await _list(settings, store, query)
        return await _forget(settings, store, query, sure=options.yes)

    return run_command(work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot.customers", description="Pelanggan yang pernah menulis, dan menghapus datanya."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    listed = commands.add_parser("list", help="cari pelanggan")
    listed.add_argument("query", nargs="*", metavar="CARI", help="nama, nomor atau #urutan; kosong: semua")
    forget = commands.add_parser("forget", help="hapus seorang pelanggan beserta semua percakapannya")
    forget.add_argument("query", nargs="+", metavar="NOMOR_ATAU_NAMA", help="nomor, nama, atau #urutan")
    forget.add_argument("--yes", action="store_true", help="benar-benar hapus; tanpa ini hanya ditunjukkan")
    return parser


async def _list(settings: Settings, store: Store, query: str) -> int:
    found = await store.read(lambda c: directory.search(c, settings.account, query), slow=True)
    if not found:
        return refuse("Tidak ada pelanggan yang cocok.")
    for entry in found:
        print(_described(entry))
    return DONE


async def _forget(settings: Settings, store: Store, query: str, *, sure: bool) -> int:
    found = await store.read(lambda c: directory.search(c, settings.account, query), slow=True)
    if not found:
        return refuse("Tidak ada pelanggan yang cocok. Cari dengan: python -m bot.customers list")
    if len(found) > 1:
        several = "\n".join(_described(entry) for entry in found)
        return refuse(f"Ada {len(found)} yang cocok; sebut urutannya, misalnya '#{found[0].id}':\n{several}")
    entry = found[0]
    print(_described(entry))
    if not sure:
        return refuse("Belum ada yang dihapus. Kalau memang orang ini, ulangi dengan --yes.")
    learnt = await store.read(lambda c: _learnt_from(c, entry.id))
    addresses = await store.read(lambda c: customers.addresses_of(c, entry.id))
    # While it is known which files are his.
    past.forget(past.folder_in(settings.state_dir, settings.account), addresses)
    files = MediaFiles(settings.state_dir)
    paths = await store.read(lambda c: media.paths_of(c, entry.id))
    await store.write(lambda c: customers.forget(c, entry.id))
    await asyncio.to_thread(files.remove, paths)
    # Otherwise what was deleted could still be read from the files.
    await asyncio.to_thread(erase_deleted, settings)
    return _report(settings, entry, await store.read(lambda c: rows_left(c, entry.id)), learnt)


def _learnt_from(connection: Connection, customer_id: int) -> list[str]:
    """Ids of the FAQ entries that were learnt from answers to this customer."""
    saved = select(handoffs.c.id).where(
        handoffs.c.customer_id == customer_id, handoffs.c.learned == Learning.SAVED.value
    )
    learnt = [learning.entry_id(handoff_id) for handoff_id in connection.execute(saved).scalars()]
    return learnt + past_questions.saved_of(connection, customer_id)


def _report(settings: Settings, entry: Entry, left: dict[str, int], learnt: list[str]) -> int:
    if left:
        # Only a message that was being worked on at that very moment can do this.
        tables = ", ".join(f"{table}: {count}" for table, count in left.items())
        return refuse(f"Belum semuanya terhapus ({tables}); jalankan perintah yang sama sekali lagi.")
    print("Sudah dihapus, termasuk dari berkas databasenya: nama, nomor, percakapan dan pertanyaannya.")
    print("\nYang masih ada:")
    print(f"- Nomor urutnya (#{entry.id}), tanpa nama dan isi, supaya penghapusan ini tidak bisa batal.")
    print("- Jumlah pesan dan biaya harian toko, tanpa nama.")
    path = settings.data_dir / learning.FILE_NAME
    kept = learning.questions(settings.data_dir, learnt)
    for entry_id, question in kept.items():
        print(f"- FAQ yang Anda simpan dari dia, di {path} ({entry_id}): “{one_line(question)}”")
    if kept:
        print(f"  Kalau isinya menyangkut dia, hapus dari {path.name}; bot langsung ikut melupakannya.")
    print("- Chat di HP toko dan salinan cadangan (backup) yang Anda buat sendiri: hapus sendiri.")
    return DONE


def _described(entry: Entry) -> str:
    users = ", ".join(mask_phone(one_line(user)) for user in entry.users) or "tanpa nomor"
    seen = "belum ada percakapan"
    if entry.seen_ms is not None:
        seen = f"{entry.exchanges} percakapan, terakhir {span_ms(entry.seen_ms)} yang lalu"
    return f"#{entry.id}  {one_line(entry.name or '(tanpa nama)')} ({users}): {seen}"


if __name__ == "__main__":
    sys.exit(main())
