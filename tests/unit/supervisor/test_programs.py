"""What becomes of a program, as far as Supervisor's events and its log tell."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
import pytest

from config.settings import Settings
from supervisor.events import Became, Change
from supervisor.programs import Programs


@pytest.fixture
async def programs(make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Supervisor's log is elsewhere, so that nobody knows how a program ended."""
    monkeypatch.setattr("supervisor.programs._LOGGED_WITHIN_S", 0.0)
    settings = make_settings(HEALTH_PORT="off", WEBHOOKS_PORT="0")
    async with aiohttp.ClientSession() as session:
        return Programs(settings, session)


async def test_an_expected_end_whose_code_nobody_knows_is_no_alarm(programs: Programs) -> None:
    await programs.note(Change(program="weaviate", became=Became.EXITED, expected=True))
    assert (programs.down, programs.crashed) == ({}, {})


async def test_an_unexpected_one_is_over_when_the_program_has_been_running_again(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    await programs.note(Change(program="weaviate", became=Became.EXITED, expected=False))
    assert programs.crashed == {"weaviate": "?"}
    await programs.note(Change(program="weaviate", became=Became.STARTING))
    await programs.ask()
    assert programs.crashed == {"weaviate": "?"}
    await programs.note(Change(program="weaviate", became=Became.RUNNING))
    await programs.ask()
    # So soon nobody would have been told.
    assert programs.crashed == {"weaviate": "?"}
    monkeypatch.setattr("supervisor.programs.RECOVERED_AFTER_S", 0.0)
    await programs.ask()
    assert programs.crashed == {}


async def test_one_that_ends_again_has_not_recovered(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.programs.RECOVERED_AFTER_S", 0.0)
    for became in (Became.RUNNING, Became.EXITED):
        await programs.note(Change(program="weaviate", became=became, expected=False))
    await programs.ask()
    assert programs.crashed == {"weaviate": "?"}
