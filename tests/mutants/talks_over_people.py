"""Removes: the gate drops what a person has answered or is answering (``bot.gate.gate``)."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import Any

from bot.gate import Pass
from config.settings import Mode
from store.customers import Customer
from tests.mutants import Replace

# Each of its callers has it under a name of its own.
PLACES = 3


def mutate(replace: Replace) -> None:
    def make(original: Any) -> Any:
        def gate(
            shop_mode: Mode, customer: Customer, since_ms: int | None = None, *, right: bool = False
        ) -> Pass:
            unheard = changed(customer, silent_ms=0, human_ms=0)
            found: Pass = original(shop_mode, unheard, since_ms, right=right)
            return found

        return gate

    for user in ("conversation", "consequences", "delivery"):
        replace(f"bot.{user}.gate", make)
