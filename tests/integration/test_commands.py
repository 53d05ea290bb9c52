"""The commands for people, called as functions: what they print and refuse."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from bot import customers, handoffs
from config.settings import Settings
from store import handoffs as stored_handoffs
from store import media, outbox
from store.customers import Address, resolve
from store.handoffs import Reason
from store.media_files import MediaFiles
from store.outbox import NewMessage, Purpose
from store.schema import handoffs as handoff_rows
from store.schema import media as media_table
from store.schema import outbox as outbox_table
from store.sqlite import SqliteStore
from tests.integration.tiny_shop import age


@pytest.fixture
def settings(
    make_settings: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The commands read the environment by themselves; here it is the test's."""
    for key, value in {
        "OPENAI_API_KEY": "kunci-uji",
        "SHOP_NAME": "Toko Uji",
        "DATA_DIR": str(tmp_path / "data"),
        "STATE_DIR": str(tmp_path / "var"),
    }.items():
        monkeypatch.setenv(key, value)
    monkeypatch.chdir(tmp_path)
    # The tests' own logging stays as it is.
    monkeypatch.setattr("config.logging.configure", lambda *arguments: None)
    return make_settings()


async def hand_over(settings: Settings, *, name: str = "Budi", with_notice: bool = True) -> int:
    """A customer with an open question, as the bot leaves it; the handoff's number."""
    store = await SqliteStore.open(settings.sqlite_path)

    def write(connection: Connection) -> int:
        customer, _ = resolve(connection, "utama", [Address("t", "6281234567890")], name=name)
        promise = NewMessage(
            account="utama",
            transport="t",
            chat="6281234567890",
            body="menyusul",
            purpose=Purpose.ANSWER,
            customer_id=customer.id,
        )
        outbox.add(connection, promise)
        number = stored_handoffs.open_handoff(
            connection,
            account="utama",
            customer_id=customer.id,
            chat="6281234567890",
            question="bisa kirim ke Sorong?",
            reason=Reason.UNKNOWN,
            remind_after_ms=1000,
        )
        if with_notice:
            notice = NewMessage(
                account="utama",
                transport="t",
                chat="ruang",
                body="🔔",
                purpose=Purpose.NOTICE,
                customer_id=customer.id,
            )
            stored_handoffs.add_notice(
                connection,
                notice,
                kind=stored_handoffs.HANDOFF_NOTICE,
                customer_id=customer.id,
                handoff_id=number,
            )
        return number

    number = await store.write(write)
    await store.close()
    return number


async def sent(settings: Settings) -> list[tuple[str, str, str]]:
    """(chat, purpose, body) of everything that is to be sent."""
    store = await SqliteStore.open(settings.sqlite_path)
    rows = await store.read(
        lambda c: c.execute(
            outbox_table.select()
            .with_only_columns(outbox_table.c.chat, outbox_table.c.purpose, outbox_table.c.body)
            .order_by(outbox_table.c.id)
        ).all()
    )
    await store.close()
    return [(row[0], row[1], row[2]) for row in rows]


def run_in_thread(call: Callable[[], int]) -> int:
    """The commands bring an event loop of their own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


async def test_the_list_shows_age_masked_number_and_question(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    number = await hand_over(settings, name="Budi\x1b[2J\nTerkirim ke semua")
    store = await SqliteStore.open(settings.sqlite_path)
    await age(store, handoff_rows, "created_ms", by_ms=12 * 60_000)
    await store.close()
    assert run_in_thread(lambda: handoffs.main([])) == 0
    shown = capsys.readouterr().out
    assert f"#{number}  Budi[2J Terkirim ke semua (0812…90), 12 menit yang lalu" in shown
    assert "bisa kirim ke Sorong?" in shown
    assert "\x1b" not in shown
    assert "81234567890" not in shown


@pytest.mark.parametrize("with_notice", [True, False])
async def test_an_answer_goes_to_the_customer_and_is_offered_where_the_owner_was_told(
    settings: Settings, with_notice: bool
) -> None:
    number = await hand_over(settings, with_notice=with_notice)
    before = await sent(settings)
    assert run_in_thread(lambda: handoffs.main(["--answer", f"#{number}", " Bisa\x07 Kak. "])) == 0
    new = (await sent(settings))[len(before) :]
    assert new[0] == ("6281234567890", "relay", "Bisa Kak.")
    assert [chat for chat, _, _ in new[1:]] == (["ruang"] if with_notice else [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--answer", "99", "Bisa"], "Tidak ada pertanyaan #99"),
        (["--answer", "satu", "Bisa"], "bukan nomor pertanyaan"),
        (["--answer", "²", "Bisa"], "bukan nomor pertanyaan"),
        (["--answer", "1", " \x07 "], "kosong"),
    ],
)
async def test_what_cannot_be_answered_is_refused_and_nothing_is_sent(
    settings: Settings, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    await hand_over(settings)
    before = await sent(settings)
    assert run_in_thread(lambda: handoffs.main(arguments)) == 1
    assert said in capsys.readouterr().err
    assert await sent(settings) == before


async def test_mistakes_in_the_settings_are_told_in_the_owners_language(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert run_in_thread(lambda: customers.main(["list"])) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("Pengaturan belum benar:\n")
    assert "OPENAI_API_KEY" in shown


async def test_a_forgotten_customer_s_files_go_and_those_of_others_stay(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await SqliteStore.open(settings.sqlite_path)
    files = MediaFiles(settings.state_dir)
    names = [files.write(b"foto budi"), files.write(b"foto siti")]

    def write(connection: Connection) -> None:
        for number, name in enumerate(("Budi", "Siti")):
            address = Address("t", f"628123456789{number}")
            customer, _ = resolve(connection, "utama", [address], name=name)
            new = media.NewMedia(
                account="utama",
                inbox_id=number,
                chat=address.user,
                customer_id=customer.id,
                kind="image",
                mimetype="image/jpeg",
                filename="",
                announced_bytes=9,
                keep_ms=1_000_000,
            )
            media_id = media.add(connection, new)
            connection.execute(
                update(media_table).where(media_table.c.id == media_id).values(path=names[number])
            )

    await store.write(write)
    await store.close()
    assert run_in_thread(lambda: customers.main(["forget", "Budi", "--yes"])) == 0
    assert "Sudah dihapus" in capsys.readouterr().out
    assert [path.name for path in files.folder.iterdir()] == [names[1]]
