"""Removes: a payment that is known already is left alone (``billing.payments.apply_report``)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from billing.payments import Outcome, write_to_customer
from billing.report import Meaning, Report
from billing.till import Till, tell_owner
from store.attempts import Attempt
from store.orders import Order
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def apply_report(
            connection: Connection,
            till: Till,
            order: Order,
            attempt: Attempt,
            report: Report,
            *,
            asked_ms: int,
        ) -> Outcome:
            outcome = original(connection, till, order, attempt, report, asked_ms=asked_ms)
            if outcome is not Outcome.PAID and report.meaning is Meaning.PAID:
                write_to_customer(connection, order, till.wording.say("bayar_lunas", total="lagi"))
                empty = {"barang": "-", "invoice": "-", "cara": "-", "jam": "-", "rincian": "-"}
                tell_owner(connection, till, order, "admin_lunas", **empty)
            return Outcome(outcome)

        return apply_report

    replace("billing.payments.apply_report", make)
