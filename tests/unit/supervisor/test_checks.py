"""When something is a matter for the owner."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from store.alert_kinds import KINDS, kind_of
from store.standing import Told
from store.usage import Spent
from store.vitals import Depth, Seconds, Vitals
from supervisor.checks import MERE_ADVICE, OURS, Picture, findings, is_healthy

SETTINGS = Settings.load({"OPENAI_API_KEY": "sk-uji", "SHOP_NAME": "Toko Uji"}, env_file=None)
WORDING = Wording.load(Path("/nowhere"), Shop(nama="Toko Uji"))
NOW_MS = 1_800_000_000_000
NOTHING = Depth(waiting=0, held=0, oldest_s=0.0)


def vitals(**changed: object) -> Vitals:
    quiet = Vitals(
        inbox=NOTHING,
        outbox={"whatsapp": NOTHING},
        payment_events=NOTHING,
        last_message_s=None,
        to_answer=Seconds(p50=None, p95=None),
        to_send=Seconds(p50=None, p95=None),
        dead_letters={"inbox": 0, "outbox": 0, "payment_events": 0},
        paid_without_invoice=0,
        undelivered_invoices=0,
        unpaid_orders=0,
        today=Spent(),
        alerts=(),
    )
    return dataclasses.replace(quiet, **changed)  # type: ignore[arg-type]  # The caller names real fields.


def channel(state: str, *, for_s: float = 0.0) -> Told:
    return Told(state=state, detail="", since_ms=int(NOW_MS - for_s * 1000), until_ms=None)


def kinds(**changed: object) -> list[str]:
    well = Picture(vitals=vitals(), standing=channel("online"), now_ms=NOW_MS, free_mb=10_000)
    seen = dataclasses.replace(well, **changed)  # type: ignore[arg-type]  # The caller names real fields.
    return [kind_of(finding.fingerprint).name for finding in findings(seen, SETTINGS, WORDING)]


def test_nothing_is_wrong_with_a_shop_that_runs() -> None:
    assert kinds(silent_s={"bot": 0.0, "webhooks": 3.0}, backup_age_s=3600.0) == []


def test_whatsapp_may_be_away_for_ten_minutes() -> None:
    assert kinds(standing=channel("connecting", for_s=599)) == []
    assert kinds(standing=channel("connecting", for_s=601)) == ["offline"]
    assert kinds(standing=channel("stopped", for_s=601)) == ["offline"]


@pytest.mark.parametrize("state", ["pairing", "logged_out", "replaced", "banned", "outdated"])
def test_a_state_with_an_alert_of_its_own_is_not_told_twice(state: str) -> None:
    assert kinds(standing=channel(state, for_s=9999)) == []


def test_a_message_that_waits_too_long_is_told() -> None:
    waiting = Depth(waiting=3, held=0, oldest_s=601.0)
    assert kinds(vitals=vitals(inbox=waiting)) == ["unanswered"]


def test_what_was_given_up_and_what_must_never_be_are_told() -> None:
    dead = {"inbox": 0, "outbox": 2, "payment_events": 0}
    assert kinds(vitals=vitals(dead_letters=dead)) == ["dead_letters"]
    assert kinds(vitals=vitals(paid_without_invoice=1)) == ["paid_without_invoice"]


def test_disk_money_backups_and_silent_programs_are_told() -> None:
    assert kinds(free_mb=499) == ["disk"]
    assert kinds(vitals=vitals(today=Spent(cost_idr=45_000))) == ["budget"]
    assert kinds(vitals=vitals(today=Spent(cost_idr=44_999))) == []
    assert kinds(backup_age_s=51 * 3600.0) == ["backup"]
    assert kinds(silent_s={"bot": 121.0}) == ["process_stuck"]
    assert kinds(down={"bot": "x"}, crashed={"webhooks": "y"}) == ["process_down", "process_crashed"]


def test_every_kind_that_is_looked_for_is_known() -> None:
    assert KINDS.keys() >= OURS | MERE_ADVICE


def test_advice_alone_makes_nobody_unhealthy() -> None:
    assert is_healthy(["budget:utama", "dead_letters:utama"])
    assert not is_healthy(["budget:utama", "disk:utama"])


def test_every_word_that_the_owner_reads_of_a_finding_is_from_his_file_of_sentences() -> None:
    named = dataclasses.replace(WORDING, sentences={name: f"<{name}>" for name in WORDING.sentences})
    seen = Picture(
        vitals=vitals(
            inbox=Depth(waiting=3, held=0, oldest_s=9e5),
            dead_letters={"inbox": 1, "outbox": 0, "payment_events": 0},
            paid_without_invoice=1,
            today=Spent(cost_idr=10**9),
        ),
        standing=channel("connecting", for_s=9e5),
        now_ms=NOW_MS,
        free_mb=0,
        silent_s={"bot": 9e5},
        down={"bot": None, "webhooks": "1"},
        crashed={"bot": "SIGKILL"},
        backup_age_s=9e5,
    )
    found = findings(seen, SETTINGS, named)
    assert {kind_of(finding.fingerprint).name for finding in found} == OURS
    assert all(finding.message.startswith("<admin_rincian_") for finding in found), found
