"""The words of an alert: what, what it means, what to do; and how to log in again."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.alarms import ALARMS
from config.shop import Shop
from config.wording import Wording
from store.alert_kinds import KINDS, WHATSAPP, WHATSAPP_STATES
from store.alerts import News, Telling
from supervisor.checks import OURS
from supervisor.messages import WayIn, compose, detail_of, needs_login, sentence_of, without_marks


@pytest.fixture
def wording(tmp_path: Path) -> Wording:
    return Wording.load(tmp_path, Shop(nama="Toko Uji"))


def telling(fingerprint: str, news: News = News.WRONG) -> Telling:
    return Telling(
        fingerprint=fingerprint,
        message="disk full",
        news=news,
        lasted_ms=12 * 60 * 1000,
        notified_ms=1,
        recovered_ms=None if news is News.WRONG else 2,
    )


def test_every_kind_has_a_sentence_and_every_sentence_a_kind() -> None:
    needed = {f"admin_alarm_{name}" for name in KINDS if name != WHATSAPP}
    needed |= {f"admin_alarm_{WHATSAPP}_{state}" for state in WHATSAPP_STATES} | {"admin_alarm_other"}
    assert set(ALARMS) == needed


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_it_is_what_it_means_and_what_to_do(name: str, wording: Wording) -> None:
    title, meaning, advice, detail = wording.say(name, rincian="x").split("\n")
    assert title[:1] in "🔴🟠"
    assert title.endswith("*")
    assert len(meaning) > 20
    assert advice.startswith("👉 ")
    assert detail == "_x_"


def test_a_log_out_brings_the_code_and_the_link(wording: Wording) -> None:
    text = compose(
        wording,
        telling("whatsapp:utama"),
        state="pairing",
        way_in=WayIn(typed="ABCD-1234", link="https://toko.example/masuk/x"),
    )
    assert "keluar dari bot" in text
    assert "*ABCD-1234*" in text
    assert "https://toko.example/masuk/x" in text


def test_without_code_and_link_it_names_the_command(wording: Wording) -> None:
    text = compose(wording, telling("whatsapp:utama"), state="logged_out", way_in=WayIn())
    assert "sudo balas pair" in text


@pytest.mark.parametrize("state", WHATSAPP_STATES)
def test_only_a_log_out_is_mended_by_logging_in(state: str) -> None:
    found = telling("whatsapp:utama")
    assert sentence_of(found, state=state) == f"admin_alarm_whatsapp_{state}"
    assert needs_login(found, state=state) is (state == "logged_out")
    assert not needs_login(telling("whatsapp:utama", News.OVER), state="logged_out")
    assert not needs_login(telling("disk:utama"), state=state)


def test_an_unknown_alert_is_told_in_sentences_that_quote_what_the_program_noted(wording: Wording) -> None:
    text = compose(wording, telling("baru_sekali:7"), state="online")
    title, meaning, advice, detail = text.split("\n")
    assert title == "🟠 *Ada yang perlu dilihat*"
    assert meaning.endswith(".")
    assert advice.startswith("👉 ")
    assert detail == "_Catatan programnya: “disk full”_"


def test_the_note_of_an_unknown_alert_is_one_short_line_without_marks(wording: Wording) -> None:
    detail = detail_of(wording, "baru_sekali", "Traceback:\n  *rusak* di\n\tbaris 7 " + "kata " * 200)
    assert detail.startswith("Catatan programnya: “Traceback: rusak di baris 7 kata kata")
    assert detail.endswith("…”")
    assert len(detail) < 250


@pytest.mark.parametrize("fingerprint", ["baru_sekali:7", "disk:utama", "starsender"])
def test_an_alert_without_a_note_points_to_the_log(fingerprint: str, wording: Wording) -> None:
    assert detail_of(wording, fingerprint, " ") == wording.say("admin_rincian_log")


@pytest.mark.parametrize("fingerprint", [f"{name}:utama" for name in KINDS if name not in OURS])
@pytest.mark.parametrize("news", News)
def test_what_a_program_noted_for_the_log_is_not_read_to_the_owner(
    fingerprint: str, news: News, wording: Wording
) -> None:
    text = compose(wording, telling(fingerprint, news), state="online")
    assert "disk full" not in text
    assert "disk full" not in detail_of(wording, fingerprint, "disk full")


def test_the_end_names_what_is_over_and_how_long_it_was(wording: Wording) -> None:
    over = compose(wording, telling("disk:utama", News.OVER), state="online")
    assert over == "✅ *Sudah normal lagi*: Disk hampir penuh (selama 12 menit)"
    passed = compose(wording, telling("disk:utama", News.PASSED), state="online")
    assert passed.startswith("ℹ️ *Sempat terjadi")


def test_marks_are_taken_out_for_channels_that_do_not_know_them() -> None:
    assert without_marks("🔴 *Disk*\nsisa 2*3\n_rinci_an_") == "🔴 Disk\nsisa 2*3\nrinci_an"
