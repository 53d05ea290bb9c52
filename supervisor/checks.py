"""What is looked at again and again, and when it is a matter for the owner. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from config.settings import Settings
from store.alert_kinds import kind_of
from store.standing import Told
from store.vitals import Vitals

# Of the day's budget: whoever hears of it can still do something.
_BUDGET_SHARE = 0.9
# A program that starts, or is busy for a moment, is not stuck.
STUCK_AFTER_S = 120.0
# A night's back-up that failed once is tried again; two are missing.
BACKUP_TOO_OLD_S = 50 * 3600.0
# Alerts that end as soon as the finding is gone.
OURS = frozenset(
    {
        *(
            "offline",
            "process_stuck",
            "process_down",
            "process_crashed",
            "unanswered",
            "dead_letters",
            "disk",
        ),
        *("budget", "paid_without_invoice", "backup"),
    }
)
# The owner may want to know, but customers are served: no reason to call the whole unhealthy.
MERE_ADVICE = frozenset(
    {
        *("whatsapp_business_answers", "budget", "dead_letters", "process_crashed", "backup"),
        *("messages_waited", "payment", "starsender", "memory", "whatsapp_restricted"),
    }
)
# What the owner calls the queues.
QUEUE_NAMES = {"inbox": "pesan masuk", "outbox": "kiriman", "payment_events": "kabar pembayaran"}
# WhatsApp will not be there, and another alert says why.
_TOLD_OTHERWISE = frozenset({"pairing", "logged_out", "replaced", "banned", "outdated", "unusable"})
_WORKING = frozenset({"online", "degraded"})


@dataclass(frozen=True, kw_only=True)
class Picture:
    """All that was looked at, at one moment."""

    vitals: Vitals
    standing: Told | None  # of the channel; None when it never ran
    now_ms: int
    free_mb: int
    # How long each program has not answered, in seconds; 0 when it does. Those that nobody runs are missing.
    silent_s: dict[str, float] = field(default_factory=dict)
    # Programs that Supervisor left down or started again, and how they ended.
    down: dict[str, str] = field(default_factory=dict)
    crashed: dict[str, str] = field(default_factory=dict)
    backup_age_s: float | None = None  # None: there are none, and none are made


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something wrong: the alert's fingerprint, and what the owner needs to know besides its sentence."""

    fingerprint: str
    message: str


def findings(seen: Picture, settings: Settings) -> list[Finding]:
    """Everything that is wrong in the picture."""
    return list(_findings(seen, settings))


def _findings(seen: Picture, settings: Settings) -> Iterator[Finding]:
    limits, account, vitals = settings.operation, settings.account, seen.vitals
    if (told := seen.standing) is not None and told.state not in _WORKING | _TOLD_OTHERWISE:
        away_s = (seen.now_ms - told.since_ms) / 1000
        if away_s > limits.offline_min * 60:
            yield Finding(
                fingerprint=f"offline:{account}",
                message=f"WhatsApp: {told.state} sejak {minutes(away_s)} {told.detail}".strip(),
            )
    for program, silent_s in seen.silent_s.items():
        if silent_s > STUCK_AFTER_S:
            yield Finding(
                fingerprint=f"process_stuck:{account}:{program}",
                message=f"{program} tidak menjawab sejak {minutes(silent_s)}",
            )
    for kind, programs in (("process_down", seen.down), ("process_crashed", seen.crashed)):
        for program, how in programs.items():
            yield Finding(fingerprint=f"{kind}:{account}:{program}", message=f"{program}: {how}")
    if vitals.inbox.oldest_s > limits.unanswered_min * 60:
        yield Finding(
            fingerprint=f"unanswered:{account}",
            message=f"{vitals.inbox.waiting} pesan menunggu, yang terlama {minutes(vitals.inbox.oldest_s)}",
        )
    if any(vitals.dead_letters.values()):
        counts = ", ".join(
            f"{QUEUE_NAMES[name]} {count}" for name, count in vitals.dead_letters.items() if count
        )
        yield Finding(fingerprint=f"dead_letters:{account}", message=f"24 jam terakhir: {counts}")
    if vitals.paid_without_invoice:
        yield Finding(
            fingerprint=f"paid_without_invoice:{account}", message=f"{vitals.paid_without_invoice} pesanan"
        )
    if seen.free_mb < limits.disk_free_mb:
        yield Finding(
            fingerprint=f"disk:{account}", message=f"sisa {seen.free_mb} MB di {settings.state_dir}"
        )
    most, spent = settings.model.daily_budget_idr, vitals.today.cost_idr
    if most and spent >= most * _BUDGET_SHARE:
        yield Finding(
            fingerprint=f"budget:{account}", message=f"terpakai Rp{spent:,} dari Rp{most:,}".replace(",", ".")
        )
    if seen.backup_age_s is not None and seen.backup_age_s > BACKUP_TOO_OLD_S:
        yield Finding(
            fingerprint=f"backup:{account}", message=f"cadangan terakhir {minutes(seen.backup_age_s)} lalu"
        )


def is_healthy(active: Iterable[str]) -> bool:
    """Whether customers are served, by the fingerprints of what is wrong."""
    return all(kind_of(fingerprint).name in MERE_ADVICE for fingerprint in active)


def minutes(seconds: float) -> str:
    """``40 detik``, ``12 menit``, ``3 jam``, ``5 hari``."""
    if seconds < 90:
        return f"{max(0, round(seconds))} detik"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} menit"
    return f"{round(seconds / 3600)} jam" if seconds < 48 * 3600 else f"{int(seconds // 86_400)} hari"
