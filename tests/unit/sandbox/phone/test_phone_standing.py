"""What the page knows of the bot from outside, and what it offers a newcomer to ask."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from bot.channel import State
from bot.standing import write
from bot.whatsapp.pairing import PairingFiles
from sandbox.phone.ideas import ideas
from sandbox.phone.standing import Lookout, Standing
from store import alerts
from store.sqlite import SqliteStore


async def test_the_standing_is_what_the_bot_wrote(sqlite_store: SqliteStore, sqlite_path: Path) -> None:
    lookout = Lookout(sqlite_path.parent, "utama")
    assert lookout.look() == Standing()
    await sqlite_store.write(
        lambda c: write(c, "utama", state=State.BANNED, detail="too many", until_ms=1_800_000_000_000)
    )
    seen = lookout.look()
    assert (seen.state, seen.detail, seen.until_ms) == ("banned", "too many", 1_800_000_000_000)
    assert seen.since_ms > 0
    assert Lookout(sqlite_path.parent, "lain").look() == Standing()


async def test_a_memory_is_away_from_the_bots_word_until_it_takes_it_back(
    sqlite_store: SqliteStore, sqlite_path: Path
) -> None:
    lookout = Lookout(sqlite_path.parent, "utama")
    seen = [lookout.look().is_memory_away]
    for change in (
        lambda c: alerts.raise_alert(c, "memory:lain", "the server is away"),
        lambda c: alerts.raise_alert(c, "memory:utama", "the server is away"),
        lambda c: alerts.recover(c, "memory:utama"),
    ):
        await sqlite_store.write(change)
        seen.append(lookout.look().is_memory_away)
    assert seen == [False, False, True, False]


def test_before_there_is_a_database_nothing_is_known(tmp_path: Path) -> None:
    assert Lookout(tmp_path, "utama").look() == Standing()
    sqlite3.connect(tmp_path / "balas.db").close()
    assert Lookout(tmp_path, "utama").look() == Standing()


def test_the_code_is_the_one_that_the_bot_shows_now(tmp_path: Path) -> None:
    lookout, shown = Lookout(tmp_path, "utama"), PairingFiles(tmp_path, "utama")
    shown.show_qr("https://wa.me/settings/linked_devices#satu")
    assert lookout.look().qr.endswith("#satu")
    shown.show_qr("https://wa.me/settings/linked_devices#dua")
    assert lookout.look().qr.endswith("#dua")
    shown.remove()
    assert lookout.look().qr == ""


def test_ideas_are_short_questions_of_the_shop_between_a_greeting_and_a_wish(tmp_path: Path) -> None:
    questions = [f"Pertanyaan nomor {number}?" for number in range(9)] + ["panjang " * 20]
    (tmp_path / "faq_data.json").write_text(json.dumps([{"question": text} for text in questions]))
    found = ideas(tmp_path)
    assert found[2:-1] == [questions[0], questions[3], questions[6]]


@pytest.mark.parametrize("text", [None, "", "{", "[1]", '[{"question": "satu?"}, {}]'])
def test_without_a_readable_faq_greeting_and_wish_are_left(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "faq_data.json").write_text(text)
    assert ideas(tmp_path) == ["Halo kak", "menu", "Bisa bicara dengan admin?"]
