"""``python -m supervisor status``: how everything is, on one page; 1 when customers are not served."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from sqlalchemy import Connection

from config.alarms import title_of
from config.settings import Settings
from config.shop import Shop
from config.spans import span, span_ms
from config.switched_off import switched_off
from config.wording import Wording
from store import standing, vitals
from store.alert_kinds import WHATSAPP, kind_of
from store.health import free_mb
from store.opening import open_store
from store.standing import Told
from store.vitals import Depth, Seconds, Vitals
from supervisor import nightly
from supervisor.checks import QUEUE_NAMES, Picture, findings, is_healthy
from supervisor.messages import detail_of, sentence_of_kind
from supervisor.programs import answers_at, live_addresses

HEALTHY, UNHEALTHY = 0, 1
_STATES = {
    "starting": "sedang mulai",
    "pairing": "BELUM MASUK, menunggu kode dipindai (sudo balas pair)",
    "connecting": "sedang menyambung",
    "online": "tersambung",
    "degraded": "tersambung, tetapi ada gangguan",
    "replaced": "SESI DIPAKAI PROGRAM LAIN",
    "banned": "NOMOR DIBATASI WHATSAPP",
    "outdated": "VERSI DITOLAK, perbarui Balas",
    "unusable": "BERKAS SESI TIDAK BISA DIPAKAI",
    "logged_out": "KELUAR DARI WHATSAPP, menunggu kode baru",
    "stopping": "sedang berhenti",
    "stopped": "BERHENTI",
}
_WIDTH = 12


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that the page shows."""

    picture: Picture
    programs: dict[str, bool]  # whether each answers; those whose address is not known are missing
    problems: list[str]
    is_healthy: bool


async def look(settings: Settings, shop: Shop, wording: Wording) -> Page:
    """Look at everything once. Raises ``StoreError`` when the database gives nothing."""
    day = datetime.now(shop.zona_waktu).date().isoformat()

    def read(connection: Connection) -> tuple[Vitals, Told | None, float | None]:
        return (
            vitals.read(connection, settings.account, day=day),
            standing.read(connection, settings.account),
            nightly.backup_age_s(connection),
        )

    store = await open_store(settings)
    try:
        found, told, backup_age_s = await store.read(read, slow=True)
    finally:
        await store.close()
    async with aiohttp.ClientSession() as session:
        programs = {name: await answers_at(session, url) for name, url in live_addresses(settings).items()}
    picture = Picture(
        vitals=found,
        standing=told,
        now_ms=int(time.time() * 1000),
        free_mb=free_mb(settings.state_dir),
        backup_age_s=backup_age_s,
    )
    wrong = {finding.fingerprint: finding.message for finding in findings(picture, settings, wording)}
    wrong = {**dict(found.alerts), **wrong}
    silent = [f"{name} tidak menjawab" for name, answers in programs.items() if not answers]
    works = told is not None and told.state in ("online", "degraded")
    no_channel = [] if works or f"{WHATSAPP}:{settings.account}" in wrong else ["WhatsApp tidak tersambung"]
    return Page(
        picture=picture,
        programs=programs,
        problems=[*no_channel, *silent, *_in_words(wording, wrong, told)],
        is_healthy=works and not silent and is_healthy(wrong),
    )


def _in_words(wording: Wording, wrong: dict[str, str], told: Told | None) -> list[str]:
    """Each alert by its name, with what the owner reads below it."""
    state = None if told is None else told.state
    return [
        f"{title_of(wording, sentence_of_kind(kind_of(fingerprint).name, state=state))}: "
        f"{detail_of(wording, fingerprint, message)}"
        for fingerprint, message in wrong.items()
    ]


def render(page: Page, settings: Settings, shop: Shop, *, now: datetime) -> str:
    """The page as text."""
    seen = page.picture
    found = seen.vitals
    last = "belum pernah" if found.last_message_s is None else f"terakhir {span(found.last_message_s)} lalu"
    lines = [
        f"{shop.nama} ({settings.account}), {now:%d-%m-%Y %H.%M} {shop.zone_name}",
        "",
        _line("WhatsApp", _channel(seen, now=now)),
        _line("Program", _programs(page)),
        _line("Pesan masuk", f"{last}, {_queue(found.inbox, 'menunggu jawaban')}"),
        *(
            _line("Kirim", f"{name}: {_queue(depth, 'menunggu dikirim')}")
            for name, depth in found.outbox.items()
        ),
        _line("Kecepatan", f"menjawab {_seconds(found.to_answer)}; mengirim {_seconds(found.to_send)}"),
        _line(
            "Pesanan",
            f"{found.unpaid_orders} belum dibayar, {found.paid_without_invoice} lunas tanpa invoice, "
            f"{found.undelivered_invoices} invoice belum sampai",
        ),
        _line(
            "Gagal 24 jam",
            ", ".join(f"{QUEUE_NAMES[name]} {count}" for name, count in found.dead_letters.items()),
        ),
        _line(
            "Biaya AI",
            f"hari ini {_rupiah(found.today.cost_idr)} dari {_rupiah(settings.model.daily_budget_idr)}",
        ),
        _line("Disk", f"{seen.free_mb:,} MB kosong".replace(",", ".")),
    ]
    if seen.backup_age_s is not None:
        lines.append(_line("Cadangan", f"{span(seen.backup_age_s)} lalu"))
    if off := switched_off(settings):
        lines += ["", "Mati karena pengaturannya belum diisi:", *(f"  - {sentence}" for sentence in off)]
    if page.problems:
        lines += ["", "Yang perlu dilihat:", *(f"  ! {problem}" for problem in page.problems)]
    verdict = "SEHAT" if page.is_healthy else "PERLU DITANGANI"
    return "\n".join([*lines, "", verdict])


def _line(name: str, text: str) -> str:
    return f"{name:<{_WIDTH}} {text}"


def _channel(seen: Picture, *, now: datetime) -> str:
    told = seen.standing
    if told is None:
        return "belum pernah dijalankan"
    since = span_ms(seen.now_ms - told.since_ms)
    # Its detail is in a program's words, and in the log; what to do about it stands below, in the owner's.
    until = ""
    if told.until_ms is not None:
        until = f", sampai {datetime.fromtimestamp(told.until_ms / 1000, now.tzinfo):%d-%m-%Y %H.%M}"
    return f"{_STATES.get(told.state, told.state)} sejak {since} lalu{until}"


def _programs(page: Page) -> str:
    shown = [
        f"{name} {'menjawab' if answers else 'TIDAK MENJAWAB'}" for name, answers in page.programs.items()
    ]
    return ", ".join(shown) or "tidak diperiksa (portnya tidak diatur)"


def _queue(depth: Depth, what: str) -> str:
    oldest = f" (terlama {span(depth.oldest_s)})" if depth.waiting else ""
    held = f", {depth.held} menunggu persetujuan" if depth.held else ""
    return f"{depth.waiting} {what}{oldest}{held}"


def _seconds(found: Seconds) -> str:
    if found.p50 is None or found.p95 is None:
        return "belum ada"
    return f"p50 {found.p50:.1f} dtk, p95 {found.p95:.1f} dtk".replace(".", ",")


def _rupiah(amount_idr: int) -> str:
    return f"Rp{amount_idr:,}".replace(",", ".")
