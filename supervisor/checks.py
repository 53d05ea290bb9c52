"""What is looked at again and again, and when it is a matter for the owner. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from config.settings import Settings
from config.spans import span
from config.wording import Wording
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
    # Programs that Supervisor left down or started again, and the exit code that they ended with.
    down: dict[str, str | None] = field(default_factory=dict)  # the exit code; None: it could not be started
    crashed: dict[str, str] = field(default_factory=dict)
    backup_age_s: float | None = None  # None: there are none, and none are made


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something wrong: the alert's fingerprint, and what the owner needs to know besides its sentence."""

    fingerprint: str
    message: str


def findings(seen: Picture, settings: Settings, wording: Wording) -> list[Finding]:
    """Everything that is wrong in the picture."""
    return list(_findings(seen, settings, wording.say))


def _findings(seen: Picture, settings: Settings, say: Callable[..., str]) -> Iterator[Finding]:
    limits, account, vitals = settings.operation, settings.account, seen.vitals
    if (told := seen.standing) is not None and told.state not in _WORKING | _TOLD_OTHERWISE:
        away_s = (seen.now_ms - told.since_ms) / 1000
        if away_s > limits.offline_min * 60:
            yield Finding(
                fingerprint=f"offline:{account}",
                message=say("admin_rincian_offline", lama=span(away_s)),
            )
    for program, silent_s in seen.silent_s.items():
        if silent_s > STUCK_AFTER_S:
            yield Finding(
                fingerprint=f"process_stuck:{account}:{program}",
                message=say("admin_rincian_macet", program=program, lama=span(silent_s)),
            )
    for program, code in seen.down.items():
        how = "admin_rincian_mati" if code is None else "admin_rincian_berhenti"
        yield Finding(
            fingerprint=f"process_down:{account}:{program}", message=say(how, program=program, kode=code)
        )
    for program, code in seen.crashed.items():
        yield Finding(
            fingerprint=f"process_crashed:{account}:{program}",
            message=say("admin_rincian_berhenti", program=program, kode=code),
        )
    if vitals.inbox.oldest_s > limits.unanswered_min * 60:
        yield Finding(
            fingerprint=f"unanswered:{account}",
            message=say(
                "admin_rincian_menunggu", jumlah=vitals.inbox.waiting, lama=span(vitals.inbox.oldest_s)
            ),
        )
    if any(vitals.dead_letters.values()):
        counts = ", ".join(
            f"{QUEUE_NAMES[name]} {count}" for name, count in vitals.dead_letters.items() if count
        )
        yield Finding(fingerprint=f"dead_letters:{account}", message=say("admin_rincian_gagal", isi=counts))
    if vitals.paid_without_invoice:
        yield Finding(
            fingerprint=f"paid_without_invoice:{account}",
            message=say("admin_rincian_lunas", jumlah=vitals.paid_without_invoice),
        )
    if seen.free_mb < limits.disk_free_mb:
        yield Finding(
            fingerprint=f"disk:{account}",
            message=say("admin_rincian_disk", sisa=seen.free_mb, folder=settings.state_dir),
        )
    most, spent = settings.model.daily_budget_idr, vitals.today.cost_idr
    if most and spent >= most * _BUDGET_SHARE:
        yield Finding(
            fingerprint=f"budget:{account}",
            message=say("admin_rincian_biaya", terpakai=_rupiah(spent), batas=_rupiah(most)),
        )
    if seen.backup_age_s is not None and seen.backup_age_s > BACKUP_TOO_OLD_S:
        yield Finding(
            fingerprint=f"backup:{account}",
            message=say("admin_rincian_cadangan", lama=span(seen.backup_age_s)),
        )


def is_healthy(active: Iterable[str]) -> bool:
    """Whether customers are served, by the fingerprints of what is wrong."""
    return all(kind_of(fingerprint).name in MERE_ADVICE for fingerprint in active)


def _rupiah(amount_idr: int) -> str:
    return f"Rp{amount_idr:,}".replace(",", ".")
