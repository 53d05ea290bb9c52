"""``python -m supervisor``: the status page, logging in again, the configuration, and the watcher.

Exit codes: 0 well; 1 not (status: customers are not served); 78 the settings must be changed first.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from config import logging as balas_logging
from config.errors import ConfigError
from config.settings import Settings
from store.errors import StoreError, StoreMisconfigured

EXIT_NOT_DONE = 1
EXIT_MISCONFIGURED = 78


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "render":
        return _render(options)
    try:
        settings = Settings.load()
        if options.command == "watch":
            balas_logging.configure(settings.log, settings.secrets)
            balas_logging.catch_uncaught()
        else:
            # The answer is for a person at the terminal; what the libraries do is not.
            balas_logging.configure(dataclasses.replace(settings.log, level="ERROR"), settings.secrets)
        return asyncio.run(_run(options, settings))
    except ConfigError as exc:
        print(f"Pengaturan belum benar:\n{exc}", file=sys.stderr)
        return EXIT_MISCONFIGURED
    except StoreMisconfigured as exc:
        print(f"Database belum bisa dipakai: {exc}", file=sys.stderr)
        return EXIT_MISCONFIGURED
    except StoreError as exc:
        print(f"Database sedang tidak bisa dipakai: {exc}", file=sys.stderr)
        return EXIT_NOT_DONE
    except KeyboardInterrupt:
        return EXIT_NOT_DONE


async def _run(options: argparse.Namespace, settings: Settings) -> int:
    if options.command == "watch":
        from supervisor import watch

        # Its files are the owner's alone, like those of the bot.
        os.umask(0o077)
        return await watch.run(settings, listens=not options.alone)
    if options.command == "pair":
        from supervisor import pair

        return await pair.pair(settings, wait_s=options.wait_s)
    if options.command == "check":
        return await _check(settings)
    if options.command == "alive":
        from supervisor import checking

        silent = await checking.programs_answer(settings, wait_s=options.wait_s)
        print("\n".join(f"{name} tidak menjawab" for name in silent) or "semua menjawab")
        return EXIT_NOT_DONE if silent else 0
    from config.shop import Shop
    from config.wording import Wording
    from supervisor import status

    shop = Shop.load(settings.data_dir, name=settings.shop_name)
    wording = Wording.load(settings.data_dir, shop)
    page = await status.look(settings, shop, wording)
    print(status.render(page, settings, shop, now=datetime.now(shop.zona_waktu)))
    return status.HEALTHY if page.is_healthy else status.UNHEALTHY


async def _check(settings: Settings) -> int:
    from config.shop import Shop
    from config.switched_off import switched_off
    from config.wording import Wording
    from supervisor import checking

    shop = Shop.load(settings.data_dir, name=settings.shop_name)
    wording = Wording.load(settings.data_dir, shop)
    must_be_mended = False
    for is_fatal, problem in [found async for found in checking.problems(settings, wording)]:
        must_be_mended = must_be_mended or is_fatal
        print(f"{'SALAH' if is_fatal else 'periksa'}: {problem}")
    for sentence in (*settings.warnings, *switched_off(settings)):
        print(f"catatan: {sentence}")
    return EXIT_MISCONFIGURED if must_be_mended else 0


def _render(options: argparse.Namespace) -> int:
    from supervisor import rendering

    place = rendering.Place(
        project=options.project,
        python=options.python or options.project / ".venv" / "bin" / "python",
        state=options.state or options.project / "var",
        data=options.data or options.project / "data",
        user=options.user,
    )
    try:
        if options.unit is not None:
            print(rendering.unit(place, configuration=options.unit), end="")
        else:
            print(rendering.configuration(place), end="")
    except rendering.CannotRender as exc:
        print(f"Cannot render: {exc}", file=sys.stderr)
        return EXIT_NOT_DONE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m supervisor", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("status", help="keadaan semuanya di satu halaman; keluar 1 kalau perlu ditangani")
    commands.add_parser("check", help="periksa pengaturan dan kuncinya; keluar 78 kalau ada yang salah")
    alive = commands.add_parser("alive", help="apakah semua program menjawab; keluar 1 kalau tidak")
    alive.add_argument("--wait-s", type=float, default=0.0, help="detik untuk menunggunya (0)")
    pairing = commands.add_parser("pair", help="tampilkan kode masuk WhatsApp di terminal ini")
    pairing.add_argument("--wait-s", type=float, default=600.0, help="detik sampai menyerah (600)")
    watching = commands.add_parser(
        "watch", help="jaga program-programnya dan kabari pemilik (oleh Supervisor)"
    )
    watching.add_argument("--alone", action="store_true", help="without the events of supervisord")
    render = commands.add_parser("render", help="the configuration for supervisord, or the unit for systemd")
    project = Path(__file__).resolve().parents[1]
    render.add_argument("--project", type=Path, default=project, help="folder of the code")
    render.add_argument("--python", type=Path, help="interpreter (default: PROJECT/.venv/bin/python)")
    render.add_argument("--state", type=Path, help="STATE_DIR (default: PROJECT/var)")
    render.add_argument("--data", type=Path, help="DATA_DIR (default: PROJECT/data)")
    render.add_argument("--user", help="whom supervisord becomes when root starts it")
    render.add_argument(
        "--unit", type=Path, metavar="CONFIGURATION", help="print the unit that runs supervisord on this file"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
