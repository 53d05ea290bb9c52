"""The connection's states: whatever happens in whatever order, what is final stays final."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import State
from bot.whatsapp.machine import FINAL, Happened, Standing, after

STORIES = st.lists(st.sampled_from(Happened), max_size=30)
ENDING = {Happened.STOPPING, Happened.CLOSED}


def told(story: list[Happened]) -> list[Standing]:
    standings = [Standing(state=State.STARTING)]
    for happened in story:
        standings.append(after(standings[-1], happened, detail=happened.name))
    return standings


@given(STORIES)
def test_a_final_state_is_left_by_the_end_of_the_process_only(story: list[Happened]) -> None:
    states = [standing.state for standing in told(story)]
    for before, happened, now in zip(states, story, states[1:], strict=False):
        if before in FINAL and happened not in ENDING:
            assert now is before


@given(STORIES)
def test_stopped_is_the_end(story: list[Happened]) -> None:
    states = [standing.state for standing in told(story)]
    if State.STOPPED in states:
        assert set(states[states.index(State.STOPPED) :]) == {State.STOPPED}


@given(STORIES)
def test_a_process_that_stops_comes_back_to_nothing_else(story: list[Happened]) -> None:
    states = [standing.state for standing in told(story)]
    if State.STOPPING in states:
        assert set(states[states.index(State.STOPPING) :]) <= {State.STOPPING, State.STOPPED}


@given(STORIES)
def test_only_a_connection_can_be_bad_and_only_a_bad_one_gets_better(story: list[Happened]) -> None:
    states = [standing.state for standing in told(story)]
    for before, happened, now in zip(states, story, states[1:], strict=False):
        if now is State.DEGRADED:
            assert before in (State.ONLINE, State.DEGRADED)
        if happened is Happened.LIVELY and before is not State.DEGRADED:
            assert now is before


@pytest.mark.parametrize("happened", Happened)
def test_everything_that_can_happen_leads_somewhere_from_the_start(happened: Happened) -> None:
    assert after(Standing(state=State.STARTING), happened).state in State


def test_a_ban_says_until_when() -> None:
    standing = after(Standing(state=State.ONLINE), Happened.BANNED, detail="spam", until_ms=7)
    assert standing == Standing(state=State.BANNED, detail="spam", until_ms=7)
