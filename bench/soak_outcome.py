"""What a soak counted, what of it is wrong, and how it is told: its figures and one table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.figures import figure, number
from bench.soak_books import Books

# What was warm by then is no growth: caches, connections, the first answer of every customer.
WARM_UP_SHARE = 0.25


@dataclass(kw_only=True)
class Counts:
    """What happened."""

    customers: int = 0
    asked: int = 0
    answered: int = 0
    lost: int = 0
    slowest_s: float = 0.0
    paid: list[str] = field(default_factory=list)
    bot_rss: list[tuple[float, float]] = field(default_factory=list)  # (seconds since the start, MB)
    webhooks_rss: list[tuple[float, float]] = field(default_factory=list)
    drops: int = 0
    restarts_s: list[float] = field(default_factory=list)
    stops_s: list[float] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)


def wrongs(counts: Counts, found: Books, *, surplus: int, shown: Sequence[str]) -> dict[str, int]:
    """How many of each kind of wrong there are; all must be 0.

    ``surplus`` are answers that nobody asked for, ``shown`` the documents that buyers have.
    """
    paid = set(counts.paid)
    numbers = list(found.invoices.values())
    arrived = [sum(number in text for text in shown) for number in numbers]
    return {
        "messages_lost": counts.lost,
        "answers_doubled": surplus,
        "dead_letters": found.dead,
        "paid_not_credited": len(paid - found.paid),
        "credited_not_paid": len(found.paid - paid),
        "invoices_missing": len(found.paid - found.invoices.keys()),
        "invoice_numbers_doubled": len(numbers) - len(set(numbers)),
        "invoices_not_delivered": sum(times == 0 for times in arrived),
        "invoices_delivered_twice": sum(times > 1 for times in arrived),
    }


def tell(counts: Counts, wrong: dict[str, int], seconds: float) -> int:
    """Print the figures and the table; the exit code."""
    payments = len(counts.paid)
    print(f"{counts.asked} questions of {counts.customers} customers, {payments} payments in {seconds:.0f} s")
    figure("soak.customers", counts.customers, "customers")
    figure("soak.questions", counts.asked, "questions")
    figure("soak.payments", payments, "payments")
    figure("soak.slowest_answer", counts.slowest_s, "s")
    for name, count in wrong.items():
        figure(f"soak.{name}", count, "ids", at_most=0)
    growths = {}
    for name, samples in (("bot", counts.bot_rss), ("webhooks", counts.webhooks_rss)):
        warm, late = _ends(samples, seconds)
        growths[name] = (late / warm - 1) * 100
        figure(f"soak.{name}_rss", late, "MB")
        figure(f"soak.{name}_rss_growth", growths[name], "%", at_most=5)
    figure("soak.restart_to_online_slowest", max(counts.restarts_s), "s", at_most=5)
    figure("soak.restart_to_online", statistics.median(counts.restarts_s), "s")
    figure("soak.sigterm_to_exit_slowest", max(counts.stops_s), "s", at_most=10)
    figure("soak.stops_without_exit_0", sum(code != 0 for code in counts.codes), "stops", at_most=0)
    print(*_table(counts, wrong, growths), sep="\n", flush=True)
    return 1 if any(wrong.values()) or any(counts.codes) else 0


def _table(counts: Counts, wrong: dict[str, int], growths: dict[str, float]) -> list[str]:
    lost = (
        "messages_lost",
        "dead_letters",
        "paid_not_credited",
        "invoices_missing",
        "invoices_not_delivered",
    )
    doubled = ("answers_doubled", "invoices_delivered_twice")
    credited = ("credited_not_paid", "invoice_numbers_doubled")
    cells = {
        "customers": counts.customers,
        "questions": counts.asked,
        "payments": len(counts.paid),
        "drops": counts.drops,
        "lost": sum(wrong[name] for name in lost),
        "duplicated": sum(wrong[name] for name in doubled),
        "double-credited": sum(wrong[name] for name in credited),
        "growth": ", ".join(f"{name} {number(percent)}%" for name, percent in growths.items()),
        "restarts": f"{len(counts.restarts_s)}, at most {number(max(counts.restarts_s))} s",
        "stops": f"at most {number(max(counts.stops_s))} s",
    }
    rule = ["---"] * len(cells)
    return [f"| {' | '.join(map(str, row))} |" for row in (cells, rule, cells.values())]


def _ends(samples: Sequence[tuple[float, float]], seconds: float) -> tuple[float, float]:
    """The median of the time right after the warm-up, and that of the last tenth."""
    warm_from = seconds * WARM_UP_SHARE
    warm = [mb for at, mb in samples if warm_from <= at < warm_from + seconds * 0.1]
    late = [mb for at, mb in samples if at >= seconds * 0.9]
    # Some seconds have no sample in such a window, and prove nothing about growth anyway.
    every = [mb for _, mb in samples]
    return statistics.median(warm or every), statistics.median(late or every)
