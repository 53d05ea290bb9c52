"""The gate, every combination."""

from __future__ import annotations

import pytest

from bot.gate import Pass, gate
from config.settings import Mode
from store.customers import Customer

DECISIONS = {
    Mode.ON: Pass.SEND,
    Mode.APPROVE: Pass.HOLD,
    Mode.PRACTICE: Pass.SHOW,
    Mode.OFF: Pass.DROP,
    Mode.NEW: Pass.DROP,
}


def _customer(mode: Mode | None = None, silent_ms: int = 0) -> Customer:
    return Customer(
        id=1,
        name=None,
        introduced=True,
        mode=None if mode is None else mode.value,
        silent_ms=silent_ms,
    )


@pytest.mark.parametrize("shop", Mode)
def test_a_chat_without_a_mode_of_its_own_follows_the_shop(shop: Mode) -> None:
    assert gate(shop, _customer()) is DECISIONS[shop]


@pytest.mark.parametrize("shop", Mode)
@pytest.mark.parametrize("own", Mode)
def test_the_chats_own_mode_wins(shop: Mode, own: Mode) -> None:
    assert gate(shop, _customer(own)) is DECISIONS[own]


@pytest.mark.parametrize("own", [None, *Mode])
def test_a_silenced_chat_gets_nothing_in_any_mode(own: Mode | None) -> None:
    assert gate(Mode.ON, _customer(own, silent_ms=1)) is Pass.DROP


@pytest.mark.parametrize("shop", Mode)
@pytest.mark.parametrize("own", [None, *Mode])
def test_what_is_his_by_law_passes_a_pause_and_nothing_but_a_pause(shop: Mode, own: Mode | None) -> None:
    paused = _customer(own, silent_ms=60_000)
    assert gate(shop, paused, right=True) is gate(shop, _customer(own))
    assert gate(shop, paused) is Pass.DROP
