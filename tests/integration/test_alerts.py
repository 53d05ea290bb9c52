"""Alerts are told once, again when they last, and once more when they are over; by a way that works."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import Connection, select, update

from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from store import alerts, meta, standing
from store.alerts import News
from store.errors import StoreUnavailable
from store.schema import alerts as table
from store.schema import login_links, outbox
from store.sqlite import SqliteStore
from supervisor.notifier import Notifier
from supervisor.outage import Outage
from supervisor.routes import routes, without_store
from tests.integration.messenger import TOKEN, Messenger, messenger

MINUTE_MS = 60 * 1000


@pytest.fixture
async def telegram() -> AsyncIterator[Messenger]:
    async with messenger() as found:
        yield found


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as found:
        yield found


def settings(tmp_path: Path, **changed: str) -> Settings:
    values = {
        "OPENAI_API_KEY": "sk-uji",
        "SHOP_NAME": "Toko Uji",
        "STATE_DIR": str(tmp_path),
        "DATA_DIR": str(tmp_path),
    }
    return Settings.load({**values, **changed}, env_file=None)


class Told:
    """A notifier over the store, and what it said."""

    def __init__(self, store: SqliteStore, configured: Settings, session: aiohttp.ClientSession) -> None:
        wording = Wording.load(configured.data_dir, Shop(nama="Toko Uji"))
        ways = routes(configured, store, session)
        self.notifier = Notifier(configured, store, wording, ways)
        self.outage = Outage(wording, without_store(configured, session))
        self.store = store

    async def queued(self) -> list[tuple[str, str, str]]:
        found = await self.store.read(
            lambda c: c.execute(select(outbox.c.transport, outbox.c.chat, outbox.c.body)).all()
        )
        return [(row[0], row[1], row[2]) for row in found]


async def wrong(store: SqliteStore, fingerprint: str = "disk:utama") -> None:
    await store.write(lambda c: alerts.raise_alert(c, fingerprint, "sisa 3 MB"))


async def over(store: SqliteStore, fingerprint: str = "disk:utama") -> None:
    await store.write(lambda c: alerts.recover(c, fingerprint))


async def ago(store: SqliteStore, minutes: int) -> None:
    """Everything that is written down happened so much earlier."""
    columns = ("first_ms", "last_ms", "notified_ms", "recovered_ms", "told_ms", "recovery_told_ms")
    earlier = {name: table.c[name] - minutes * MINUTE_MS for name in columns}
    await store.write(lambda c: c.execute(update(table).values(**earlier)).close())


async def test_an_alert_is_told_once_and_its_end_once(
    sqlite_store: SqliteStore, tmp_path: Path, telegram: Messenger, session: aiohttp.ClientSession
) -> None:
    told = Told(sqlite_store, settings(tmp_path, **telegram.keys), session)
    await wrong(sqlite_store)
    for _ in range(3):
        await told.notifier.tell()
        await wrong(sqlite_store)
    assert len(telegram.texts) == 1
    assert "Disk hampir penuh" in telegram.texts[0]
    assert telegram.received[0]["chat_id"] == "77"
    assert telegram.received[0]["link_preview_options"] == {"is_disabled": True}
    await over(sqlite_store)
    for _ in range(3):
        await told.notifier.tell()
    assert len(telegram.texts) == 2
    assert telegram.texts[1].startswith("✅ Sudah normal lagi: Disk hampir penuh")


async def test_what_lasts_is_told_again_after_a_quarter_of_an_hour_and_later_more_seldom(
    sqlite_store: SqliteStore, tmp_path: Path, telegram: Messenger, session: aiohttp.ClientSession
) -> None:
    told = Told(sqlite_store, settings(tmp_path, **telegram.keys), session)
    hours = 8
    for _ in range(hours * 6):  # every ten minutes
        await wrong(sqlite_store)
        await told.notifier.tell()
        await ago(sqlite_store, 10)
    # At 0, 20, 40 and 60 minutes, then about every hour.
    assert 8 <= len(telegram.texts) <= 12


async def test_what_comes_and_goes_is_told_once_in_a_quarter_of_an_hour(
    sqlite_store: SqliteStore, tmp_path: Path, telegram: Messenger, session: aiohttp.ClientSession
) -> None:
    told = Told(sqlite_store, settings(tmp_path, **telegram.keys), session)
    for _ in range(5):
        await wrong(sqlite_store)
        await told.notifier.tell()
        await over(sqlite_store)
        await told.notifier.tell()
    assert len(telegram.texts) == 2
    await ago(sqlite_store, 16)
    await told.notifier.tell()
    assert len(telegram.texts) == 3
    assert "Sempat terjadi" in telegram.texts[2]
    await told.notifier.tell()
    assert len(telegram.texts) == 3


async def test_while_nobody_is_reached_the_alert_waits(
    sqlite_store: SqliteStore,
    tmp_path: Path,
    telegram: Messenger,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("supervisor.notifier.FIRST_PAUSE_S", 0.0)
    told = Told(sqlite_store, settings(tmp_path, **telegram.keys), session)
    telegram.status = 500
    await wrong(sqlite_store)
    await told.notifier.tell()
    assert await told.queued() == []
    telegram.status = 200
    await told.notifier.tell()
    assert len(telegram.texts) == 1


async def test_without_telegram_starsender_and_the_room_both_get_it(
    sqlite_store: SqliteStore, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    configured = settings(
        tmp_path, ALERT_NUMBER="0813 2222 3333", STARSENDER_KEY="kunci", RUANG_ADMIN="120363@g.us"
    )
    told = Told(sqlite_store, configured, session)
    await wrong(sqlite_store)
    await told.notifier.tell()
    await told.notifier.tell()
    queued = await told.queued()
    assert [(transport, chat) for transport, chat, _ in queued] == [
        ("starsender", "6281322223333"),
        ("whatsapp", "120363@g.us"),
    ]
    assert all("*Disk hampir penuh*" in body for _, _, body in queued)


async def test_news_that_whatsapp_is_away_does_not_go_by_whatsapp(
    sqlite_store: SqliteStore, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    told = Told(sqlite_store, settings(tmp_path, RUANG_ADMIN="120363@g.us"), session)
    await wrong(sqlite_store, "offline:utama")
    await told.notifier.tell()
    assert await told.queued() == []
    await over(sqlite_store, "offline:utama")
    await told.notifier.tell()
    ((transport, _, body),) = await told.queued()
    assert transport == "whatsapp"
    assert "Sudah normal lagi" in body


async def test_what_the_bot_says_in_the_room_itself_is_not_said_there_again(
    sqlite_store: SqliteStore, tmp_path: Path, telegram: Messenger, session: aiohttp.ClientSession
) -> None:
    told = Told(sqlite_store, settings(tmp_path, RUANG_ADMIN="120363@g.us", **telegram.keys), session)
    await wrong(sqlite_store, "model_misconfigured:utama")
    telegram.status = 403
    await told.notifier.tell()
    assert await told.queued() == []


async def test_an_alert_that_nobody_takes_holds_no_other_back(
    sqlite_store: SqliteStore, tmp_path: Path, telegram: Messenger, session: aiohttp.ClientSession
) -> None:
    told = Told(sqlite_store, settings(tmp_path, RUANG_ADMIN="120363@g.us", **telegram.keys), session)
    # The bot tells it in the room, so that Telegram is its only way here.
    await wrong(sqlite_store, "model_misconfigured:utama")
    await wrong(sqlite_store)
    telegram.status = 403
    await told.notifier.tell()
    ((transport, _, body),) = await told.queued()
    assert transport == "whatsapp"
    assert "Disk hampir penuh" in body
    telegram.status = 200
    await told.notifier.tell()
    assert telegram.texts == [], "who was refused is not asked every two seconds"


async def test_two_shops_on_one_database_hear_of_their_own_alerts_only(
    sqlite_store: SqliteStore, tmp_path: Path, telegram: Messenger, session: aiohttp.ClientSession
) -> None:
    ours = Told(sqlite_store, settings(tmp_path, **telegram.keys), session)
    async with messenger() as their_telegram:
        theirs = Told(
            sqlite_store, settings(tmp_path, BALAS_ACCOUNT="cabang", **their_telegram.keys), session
        )
        await wrong(sqlite_store, "payment:cabang:B1-1")
        await wrong(sqlite_store, "starsender:utama")
        for told in (ours, theirs):
            await told.notifier.tell()
        assert [len(telegram.texts), len(their_telegram.texts)] == [1, 1]
        assert "Starsender menolak kiriman" in telegram.texts[0]
        assert "Ada pembayaran yang perlu dilihat" in their_telegram.texts[0]
        found = await sqlite_store.read(lambda c: alerts.active(c, "cabang"))
        assert [fingerprint for fingerprint, _ in found] == ["payment:cabang:B1-1"]


@pytest.mark.parametrize("old", ["starsender", "payment:B1-1", "sesuatu_lain:7"])
async def test_an_alert_that_names_no_account_is_told_by_whoever_is_first(
    sqlite_store: SqliteStore,
    tmp_path: Path,
    telegram: Messenger,
    session: aiohttp.ClientSession,
    old: str,
) -> None:
    await wrong(sqlite_store, old)
    for account in ("utama", "cabang"):
        told = Told(sqlite_store, settings(tmp_path, BALAS_ACCOUNT=account, **telegram.keys), session)
        await told.notifier.tell()
    assert len(telegram.texts) == 1


@pytest.mark.parametrize(
    ("old", "now"), [("starsender", "starsender:utama"), ("payment:B1-1", "payment:utama:B1-1")]
)
async def test_what_an_earlier_version_raised_ends_under_its_old_name(
    sqlite_store: SqliteStore, old: str, now: str
) -> None:
    await wrong(sqlite_store, old)
    assert await sqlite_store.read(lambda c: alerts.is_on(c, now))
    await over(sqlite_store, now)
    assert await sqlite_store.read(lambda c: alerts.active(c, "utama")) == []


async def test_a_log_out_waits_for_the_code_and_brings_it_with_a_fresh_link(
    sqlite_store: SqliteStore, tmp_path: Path, telegram: Messenger, session: aiohttp.ClientSession
) -> None:
    configured = settings(
        tmp_path,
        WHATSAPP_NUMBER="081234567890",
        PUBLIC_URL="https://toko.example",
        **telegram.keys,
    )
    told = Told(sqlite_store, configured, session)
    state = json.dumps({"state": "pairing", "detail": "", "since_ms": 1, "until_ms": None})
    await sqlite_store.write(lambda c: meta.put(c, standing.key("utama"), state))
    await wrong(sqlite_store, "whatsapp:utama")
    file = tmp_path / "utama-pairing.json"
    code: dict[str, object] = {"qr": "2@abc", "expires_ms": int((time.time() + 60) * 1000)}
    file.write_text(json.dumps(code))
    await told.notifier.tell()
    # The code for the phone comes a moment after the picture.
    assert telegram.texts == []
    file.write_text(json.dumps({**code, "code": "WXYZ-7788"}))
    await told.notifier.tell()
    (text,) = telegram.texts
    assert "WXYZ-7788" in text
    token = text.partition("https://toko.example/masuk/")[2].split()[0]
    assert len(token) >= 22
    links = await sqlite_store.read(lambda c: c.execute(select(login_links)).all())
    assert len(links) == 1
    assert links[0].session is None
    # A quarter of an hour later he still has not acted: another link, the first one is over.
    await ago(sqlite_store, 16)
    await wrong(sqlite_store, "whatsapp:utama")
    await told.notifier.tell()
    assert token not in telegram.texts[1]
    assert len(await sqlite_store.read(lambda c: c.execute(select(login_links)).all())) == 1


async def test_a_code_that_never_comes_does_not_hold_the_alert_back(
    sqlite_store: SqliteStore, tmp_path: Path, telegram: Messenger, session: aiohttp.ClientSession
) -> None:
    configured = settings(tmp_path, WHATSAPP_NUMBER="081234567890", **telegram.keys)
    told = Told(sqlite_store, configured, session)
    await wrong(sqlite_store, "whatsapp:utama")
    await told.notifier.tell()
    assert telegram.texts == []
    await ago(sqlite_store, 2)
    await told.notifier.tell()
    assert "sudo balas pair" in telegram.texts[0]


async def test_a_database_that_takes_nothing_is_told_from_memory_and_its_end_from_the_table(
    sqlite_store: SqliteStore,
    tmp_path: Path,
    telegram: Messenger,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told(sqlite_store, settings(tmp_path, RUANG_ADMIN="120363@g.us", **telegram.keys), session)
    await told.outage.lasts(StoreUnavailable("the disk is full"))
    assert telegram.texts == [], "one slow write"
    monkeypatch.setattr("supervisor.outage.DOWN_AFTER_S", 0.0)
    for _ in range(3):
        await told.outage.lasts(StoreUnavailable("the disk is full"))
    (text,) = telegram.texts
    assert "Database tidak bisa ditulisi" in text
    assert "Keterangan teknisnya ada di log." in text
    await told.notifier.database_is_back(told.outage)
    await told.notifier.database_is_back(told.outage)
    await told.notifier.tell()
    assert len(telegram.texts) == 2
    assert "sudah normal lagi" in telegram.texts[1].lower()


async def test_the_token_of_telegram_is_never_logged(
    sqlite_store: SqliteStore,
    tmp_path: Path,
    session: aiohttp.ClientSession,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nowhere = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_CHAT": "77", "TELEGRAM_URL": "http://127.0.0.1:9"}
    told = Told(sqlite_store, settings(tmp_path, **nowhere), session)
    await wrong(sqlite_store)
    await told.notifier.tell()
    said = "".join(capsys.readouterr())
    assert "telegram_unreachable" in said
    assert "rahasia" not in said


async def test_what_was_over_before_anybody_was_told_is_told_as_past(sqlite_store: SqliteStore) -> None:
    def blink(connection: Connection) -> None:
        alerts.raise_alert(connection, "messages_waited:utama", "12 s")
        alerts.recover(connection, "messages_waited:utama")

    await sqlite_store.write(blink)
    (telling,) = await sqlite_store.read(lambda c: alerts.to_tell(c, "utama"))
    assert telling.news is News.PASSED
    await sqlite_store.write(lambda c: alerts.mark_told(c, telling))
    assert await sqlite_store.read(lambda c: alerts.to_tell(c, "utama")) == []


async def test_what_nobody_can_ask_about_is_over_when_it_was_not_noted_for_a_while(
    sqlite_store: SqliteStore,
) -> None:
    name = "whatsapp_business_answers:utama"

    async def is_over_after(minutes: int) -> bool:
        await ago(sqlite_store, minutes)
        return await sqlite_store.write(lambda c: alerts.recover_quiet(c, name, quiet_ms=60 * MINUTE_MS))

    await wrong(sqlite_store, name)
    assert not await is_over_after(40)
    await wrong(sqlite_store, name)
    assert not await is_over_after(40)
    assert await is_over_after(21)
