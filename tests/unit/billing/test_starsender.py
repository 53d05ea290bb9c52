"""The client against Starsender on loopback, in every way in which a message can go wrong."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from billing.starsender import (
    Accepted,
    Again,
    Cause,
    Failed,
    Outcome,
    StarsenderClient,
    Uncertain,
    outcome_of,
)
from config.secret import Secret
from config.shop import Shop
from config.wording import Wording
from sandbox.starsender import Mode, StarsenderServer

KEY = "kunci-perangkat-rahasia-000"
BUDI = "6281234560001"


@pytest.fixture
async def starsender() -> AsyncIterator[StarsenderServer]:
    async with StarsenderServer(key=KEY) as server:
        yield server


@pytest.fixture
async def client(starsender: StarsenderServer) -> AsyncIterator[StarsenderClient]:
    async with StarsenderClient(key=Secret(KEY), base_url=starsender.url, total_s=1.0) as opened:
        yield opened


async def test_a_text_and_a_file_are_taken(client: StarsenderClient, starsender: StarsenderServer) -> None:
    assert await client.send_text(BUDI, "Halo Kak") == Accepted()
    outcome = await client.send_file(BUDI, "Ini invoicenya", starsender.url.replace("/api", "/tidak-ada"))
    # It fetches the file before it answers.
    assert outcome == Failed(Cause.REFUSED, "File could not be downloaded")
    assert [(sent.to, sent.body) for sent in starsender.sent] == [(BUDI, "Halo Kak")]


@pytest.mark.parametrize(
    ("mode", "expected", "arrived"),
    [
        (Mode.REFUSED, Failed, 0),
        (Mode.GARBAGE, Failed, 0),
        (Mode.EMPTY, Failed, 0),
        (Mode.LIMITED, Again, 0),
        (Mode.BROKEN, Uncertain, 0),
        (Mode.HTML, Uncertain, 0),
        (Mode.HANG, Uncertain, 0),
        (Mode.RESET, Uncertain, 0),
        (Mode.LOST, Uncertain, 1),
    ],
)
async def test_every_way_to_fail_is_an_outcome(
    client: StarsenderClient,
    starsender: StarsenderServer,
    mode: Mode,
    expected: type[Outcome],
    arrived: int,
) -> None:
    starsender.break_down(mode, times=1)
    assert isinstance(await client.send_text(BUDI, "Halo"), expected)
    assert len(starsender.sent) == arrived
    assert await client.send_text(BUDI, "Halo") == Accepted()


async def test_where_nobody_listens_nothing_was_taken() -> None:
    async with StarsenderServer() as gone:
        address = gone.url
    async with StarsenderClient(key=Secret(KEY), base_url=address) as client:
        assert isinstance(await client.send_text(BUDI, "Halo"), Again)


async def test_a_wrong_key_is_final_and_never_shown(
    starsender: StarsenderServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "kunci-lain-yang-juga-rahasia"
    async with StarsenderClient(key=Secret(wrong), base_url=starsender.url) as client:
        outcome = await client.send_text(BUDI, "Halo")
        assert wrong not in repr(client)
    assert outcome == Failed(Cause.KEY, "401: Invalid API key")
    assert wrong not in caplog.text


@pytest.mark.parametrize(
    ("status", "body", "retry_after", "expected"),
    [
        (200, b'{"success": true}', None, Accepted()),
        (200, b'{"success": "true"}', None, Failed(Cause.REFUSED, "no reason given")),
        (200, b'{"success": 1}', None, Failed(Cause.REFUSED, "no reason given")),
        (200, b'[{"success": true}]', None, Failed(Cause.REFUSED, "no reason given")),
        (200, b'{"success": false, "message": " a\\n b "}', None, Failed(Cause.REFUSED, "a b")),
        (302, b"", None, Failed(Cause.REFUSED, "302")),
        (429, b"", None, Again(Cause.LIMITED, "Starsender limits us", after_s=30.0)),
        (429, b"", "7", Again(Cause.LIMITED, "Starsender limits us", after_s=7.0)),
        (429, b"", "99999999999", Again(Cause.LIMITED, "Starsender limits us", after_s=300.0)),
        (429, b"", "Wed, 21 Oct 2026", Again(Cause.LIMITED, "Starsender limits us", after_s=30.0)),
        (503, b'{"success": true}', None, Uncertain(Cause.BROKEN, "Starsender answered 503")),
    ],
)
def test_an_answer_is_sorted_by_what_it_means(
    status: int, body: bytes, retry_after: str | None, expected: Outcome
) -> None:
    assert outcome_of(status, body, retry_after) == expected


def test_a_long_message_of_theirs_is_cut() -> None:
    outcome = outcome_of(200, b'{"success": false, "message": "' + b"x" * 5_000 + b'"}')
    assert isinstance(outcome, Failed)
    assert len(outcome.reason) < 250


def test_the_owner_is_told_each_cause_in_a_sentence_of_his_language(tmp_path: Path) -> None:
    sentences = Wording.load(tmp_path, Shop(nama="Toko Uji")).sentences
    assert {f"admin_sebab_starsender_{cause.value}" for cause in Cause} == {
        name for name in sentences if name.startswith("admin_sebab_starsender_")
    }
