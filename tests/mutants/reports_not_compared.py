"""Removes: what Midtrans reports is compared with what was asked for (``Report.mismatches``)."""

from __future__ import annotations

from typing import Any

from billing.report import Report
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        def mismatches(
            self: Report, *, attempt_id: str, amount_idr: int, merchant_id: str | None
        ) -> list[str]:
            return []

        return mismatches

    replace("billing.report.Report.mismatches", make)
