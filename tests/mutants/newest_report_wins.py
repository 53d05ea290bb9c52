"""Removes: what is known of a payment only moves up (``billing.lifecycle``). Here the last report decides."""

from __future__ import annotations

import dataclasses
from typing import Any

from billing.lifecycle import Change, News, Standing
from billing.report import Meaning
from store.orders import State
from tests.mutants import Replace

_STATES = {
    Meaning.PENDING: State.PENDING,
    Meaning.PAID: State.PAID,
    Meaning.DENIED: State.FAILED,
    Meaning.EXPIRED: State.EXPIRED,
    Meaning.CANCELLED: State.CANCELLED,
}


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def after(standing: Standing, news: News) -> Change:
            change: Change = original(standing, news)
            return dataclasses.replace(change, order=_STATES.get(news.meaning, change.order))

        return after

    replace("billing.lifecycle.after", make)
