"""What `/metrics` shows, in Prometheus's words: counters of this process, and the account's vitals.

The counters are here because several packages count and two processes show. No label names a customer.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from store.vitals import Depth, Seconds, Vitals

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Of this process alone: the registry that the library makes by itself belongs to whoever imports it.
PROCESS = CollectorRegistry()
# result: sent, retry, unknown, refused, and refused_463 (a new number may write to existing chats only).
SENDS = Counter(
    "balas_sends", "Messages handed to the network, by what became of it", ["result"], registry=PROCESS
)
DUPLICATES = Counter(
    "balas_duplicates_suppressed", "Messages that had been recorded before", registry=PROCESS
)
# reason: as rag.answer names it.
REJECTS = Counter(
    "balas_answers_rejected", "Answers of the model that were not sent", ["reason"], registry=PROCESS
)
LOOP_LAG_S = Gauge("balas_loop_lag_seconds", "How late the event loop's last tick was", registry=PROCESS)
CHANNEL = Gauge("balas_channel_state", "1 for the state that the channel is in", ["state"], registry=PROCESS)


def exposition(vitals: Vitals | None) -> bytes:
    """The body of `/metrics`; without the vitals when the database does not answer."""
    text = generate_latest(PROCESS)
    up = CollectorRegistry()
    Gauge("balas_database_up", "1 when the database answered", registry=up).set(vitals is not None)
    text += generate_latest(up)
    if vitals is None:
        return text
    ours = CollectorRegistry()
    ours.register(_Vitals(vitals))
    return text + generate_latest(ours)


class _Vitals(Collector):
    """The library asks a registered object for its figures; these are known already."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = self._vitals
        yield _gauge("balas_inbox_waiting", "Messages that wait for an answer", found.inbox.waiting)
        yield _gauge("balas_oldest_unanswered_seconds", "Age of the oldest of them", found.inbox.oldest_s)
        yield _by("balas_outbox_waiting", "To be sent", "transport", _waiting(found.outbox))
        yield _by("balas_outbox_oldest_seconds", "Age of the oldest", "transport", _oldest(found.outbox))
        held = sum(depth.held for depth in found.outbox.values())
        yield _gauge("balas_drafts_held", "Answers that wait for a person's approval", held)
        yield _gauge(
            "balas_payment_events_waiting", "Notifications to be worked on", found.payment_events.waiting
        )
        yield _quantiles("balas_answer_seconds", "From a message's commit to its answer's", found.to_answer)
        yield _quantiles("balas_send_seconds", "From an answer's commit to its send", found.to_send)
        yield _by("balas_dead_letters", "Given up in the last day", "queue", found.dead_letters)
        yield _gauge("balas_paid_without_invoice", "Must be 0", found.paid_without_invoice)
        yield _gauge("balas_invoices_undelivered", "Not yet with the customer", found.undelivered_invoices)
        yield _gauge("balas_orders_unpaid", "Orders that may still be paid", found.unpaid_orders)
        yield _gauge("balas_cost_today_idr", "What the model cost today, in rupiah", found.today.cost_idr)
        tokens = {
            "input": found.today.input_tokens,
            "output": found.today.output_tokens,
            "embedding": found.today.embedding_tokens,
        }
        yield _by("balas_tokens_today", "Tokens of the models today", "kind", tokens)
        yield _gauge("balas_alerts_active", "What is wrong now", len(found.alerts))


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _by(name: str, text: str, label: str, values: dict[str, float] | dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _quantiles(name: str, text: str, found: Seconds) -> GaugeMetricFamily:
    values = {"0.5": found.p50, "0.95": found.p95}
    return _by(name, text, "quantile", {key: value for key, value in values.items() if value is not None})


def _waiting(depths: dict[str, Depth]) -> dict[str, int]:
    return {name: depth.waiting for name, depth in depths.items()}


def _oldest(depths: dict[str, Depth]) -> dict[str, float]:
    return {name: depth.oldest_s for name, depth in depths.items()}
