"""``python -m store.backup [make [FILE]]`` and ``restore FILE --yes``: the whole SQL state in one file.

Without a word, as every night does it, a backup is made among the others and the oldest ones go.

Exit codes: 0 done; 1 try again later, or not done for want of ``--yes``; 2 somebody must change something.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pwd
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from config.errors import ConfigError
from config.settings import Settings
from store.backup import copying
from store.backup import folder as folders
from store.errors import NoRoom, StoreBusy, StoreError, StoreMisconfigured
from store.media_files import FOLDER as MEDIA
from store.ownership import AlreadyOwned, all_stopped, backing_up

DONE, NOT_DONE, MISCONFIGURED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = Settings.load()
        if (reason := _somebody_else(settings.state_dir)) is not None:
            return _refuse(reason, MISCONFIGURED)
        if options.command == "restore":
            return _restore(settings, options.file, sure=options.yes)
        return _make(settings, options.file)
    except ConfigError as exc:
        return _refuse(f"Pengaturan belum benar:\n{exc}", MISCONFIGURED)
    except StoreMisconfigured as exc:
        return _refuse(f"Tidak bisa: {exc}", MISCONFIGURED)
    except StoreError as exc:
        return _refuse(f"Database sedang tidak bisa dipakai: {exc}. Coba lagi sebentar.", NOT_DONE)
    except OSError as exc:
        return _refuse(
            f"Tidak bisa: {exc.strerror} ({exc.filename}). Periksa isi disk dan izin foldernya.", NOT_DONE
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m store.backup", description="Cadangan database, dan memulihkannya."
    )
    parser.set_defaults(file=None)
    commands = parser.add_subparsers(dest="command")
    make = commands.add_parser("make", help="tulis cadangan; bot boleh tetap jalan")
    make.add_argument("file", nargs="?", type=Path, metavar="BERKAS", help="bawaan: di STATE_DIR/backups")
    restore = commands.add_parser("restore", help="ganti isi database dengan cadangan; hentikan bot dulu")
    restore.add_argument("file", type=Path, metavar="BERKAS")
    restore.add_argument("--yes", action="store_true", help="benar-benar ganti; tanpa ini tidak")
    return parser


def _somebody_else(state_dir: Path) -> str | None:
    """Why this user should not: the bot could not open the files that he would leave there."""
    if not state_dir.exists() or (owner := state_dir.stat().st_uid) == os.geteuid():
        return None
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    return (
        f"{state_dir} milik pengguna {name}; berkas dari pengguna lain tidak akan bisa dibuka bot. "
        f"Jalankan sebagai {name}: sudo balas backup atau sudo balas restore; tanpa itu: sudo -u {name} …"
    )


def _make(settings: Settings, file: Path | None) -> int:
    folder = settings.state_dir / "backups"
    target = file or folder / time.strftime("balas-%Y%m%d-%H%M%S.db")
    if target.exists():
        return _refuse(f"{target} sudah ada; pilih nama lain.", NOT_DONE)
    try:
        with backing_up(settings):
            rows = asyncio.run(copying.make(settings, target, spare=_tidied(folder) if file is None else ()))
    except AlreadyOwned:
        return _refuse("Cadangan lain sedang dibuat; tunggu sampai selesai.", NOT_DONE)
    except NoRoom as exc:
        return _refuse(
            f"Cadangan tidak dibuat: disk tinggal {exc.free_mb} MB, yang perlu {exc.needed_mb} MB (sebesar "
            "database, lalu masih sisa DISK_FREE_MB). Hapus berkas yang tidak perlu, atau besarkan disknya.",
            NOT_DONE,
        )
    print(f"Cadangan: {target} ({rows} baris). Isinya chat pelanggan: simpan di tempat yang aman.")
    print(
        "Yang tidak ikut: login WhatsApp, kiriman pelanggan (foto dan lain-lain) di "
        f"{settings.state_dir / MEDIA}, dan berkas toko di {settings.data_dir}."
    )
    return DONE


def _tidied(folder: Path) -> list[Path]:
    """What else may go for a new backup when there is no room: the oldest first, the newest never."""
    folders.remove_unfinished(folder, folders.UNFINISHED)
    folders.remove_oldest(folder, keep=folders.KEPT - 1)
    return folders.of_nights(folder)[:-1]


def _restore(settings: Settings, file: Path, *, sure: bool) -> int:
    if not sure:
        return _refuse(
            f"Belum ada yang diganti. Isi database sekarang akan diganti dengan {file}; "
            "kalau memang itu maunya, hentikan semua proses Balas lalu ulangi dengan --yes.",
            NOT_DONE,
        )
    try:
        with all_stopped(settings):
            done = asyncio.run(copying.restore(settings, file))
    except (AlreadyOwned, StoreBusy) as exc:
        return _refuse(
            "Belum ada yang diganti: masih ada proses Balas yang memakai database ini, atau baru saja mati. "
            "Hentikan semuanya (bot, pembayaran, pengawas: supervisorctl stop all), tunggu setengah menit, "
            f"lalu ulangi.\n({exc})",
            MISCONFIGURED,
        )
    print(f"Dipulihkan: {done.rows} baris.")
    print(
        f"Yang sudah dihapus sejak cadangan itu tetap terhapus: {done.forgotten_customers} pelanggan, "
        f"{done.forgotten_turns} percakapan."
    )
    if not done.is_past_known:
        print(
            "Database yang diganti tidak ada, rusak, atau bukan kelanjutan cadangan itu. Jadi yang dihapus "
            "sesudah cadangan terbaru bisa muncul lagi (hapus ulang: python -m bot.customers forget), dan "
            "nomor invoice sesudahnya bisa terpakai dua kali."
        )
    if done.kept is not None:
        print(f"Database yang lama masih ada di {done.kept}; hapus sendiri kalau sudah yakin.")
    print(f"Di komputer baru: salin juga berkas toko ke {settings.data_dir}, lalu tautkan lagi WhatsApp-nya.")
    print("Ingatan di Weaviate (kalau dipakai) diisi ulang sendiri begitu bot jalan.")
    return DONE


def _refuse(reason: str, code: int) -> int:
    print(reason, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
