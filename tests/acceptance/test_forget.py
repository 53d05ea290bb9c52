"""A customer who asks to be forgotten: afterwards nothing of him is anywhere, down to the bytes."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator

import pytest
from sqlalchemy import LargeBinary, Text, func, inspect, literal, literal_column, select, table

from sandbox.openai.process import OpenAIStandInProcess
from store.postgres import postgres_engine
from store.schema import metadata
from tests.acceptance.shop import OWNER, Bot, Shop

UNKNOWN = "ada layanan katering pernikahan kak?"
RECALL = "eh tadi aku bilang kode rahasiaku apa ya kak?"


@pytest.fixture
def marker() -> str:
    """32 characters that nobody else ever wrote."""
    return secrets.token_hex(16)


@pytest.fixture
def asked_of_model(model: OpenAIStandInProcess) -> Iterator[OpenAIStandInProcess]:
    """The stand-in, keeping what it is asked."""
    model.control(record=True)
    yield model
    model.control(record=False)
    model.reset_requests()


def leave_traces(bot: Bot, marker: str) -> None:
    """The marker goes everywhere that a customer's words can go, by the ways that people have."""
    # His name, his message, the prompt's history, and an answer that repeats it.
    bot.ask("budi", f"Halo kak, kode rahasiaku {marker}. IH20 berapa?", name=f"Budi {marker}")
    assert marker in bot.ask("budi", RECALL, name=f"Budi {marker}")
    # The handoff's question and the owner's notice; the owner's own words, relayed.
    bot.ask("budi", f"{UNKNOWN} kode {marker}", name=f"Budi {marker}")
    notice = bot.told_owner(UNKNOWN)
    assert marker in notice["text"]
    bot.say(OWNER, f"Belum ada Kak, untuk kode {marker} juga belum.", quote=notice["id"])
    bot.expect(lambda event: event.get("to") == "budi" and "juga belum" in event.get("text", ""))
    bot.told_owner("*ya*")


def files_with(shop: Shop, marker: str) -> list[str]:
    """Every file of the shop, logs included, that holds these bytes."""
    return sorted(
        str(path.relative_to(shop.folder))
        for path in shop.folder.rglob("*")
        if path.is_file() and marker.encode() in path.read_bytes()
    )


def test_a_forgotten_customer_leaves_no_byte_behind_while_the_bot_runs_on(
    shop: Shop, marker: str, asked_of_model: OpenAIStandInProcess
) -> None:
    with shop.bot(LOG_LEVEL="DEBUG") as bot:
        leave_traces(bot, marker)
        bot.ask("sari", "IH50 berapa kak?", name="Sari")
        assert any(name.startswith("var/balas.db") for name in files_with(shop, marker))
        assert marker in json.dumps(asked_of_model.requests())

        done = shop.run("-m", "bot.customers", "forget", "budi", "--yes")
        assert done.returncode == 0, done.stderr
        assert "Sudah dihapus" in done.stdout
        assert "FAQ" not in done.stdout
        assert files_with(shop, marker) == []

        # The running bot has forgotten him too: a stranger comes, and nothing of him is in the prompt.
        asked_of_model.reset_requests()
        assert marker not in bot.ask("budi", RECALL, name="Budi")
        assert marker not in json.dumps(asked_of_model.requests())
        assert bot.stop() == 0
        told = [event for event in bot.events() if marker in json.dumps(event)]
        assert told, "the test left no traces"
    assert files_with(shop, marker) == []
    with shop.bot() as bot:
        assert marker not in bot.ask("budi", RECALL, name="Budi")
    listed = shop.run("-m", "bot.customers", "list").stdout
    assert "Sari" in listed


def test_what_the_owner_saved_as_knowledge_stays_and_is_named(shop: Shop, marker: str) -> None:
    with shop.bot() as bot:
        leave_traces(bot, marker)
        bot.say(OWNER, "ya")
        bot.told_owner("Tersimpan")
    done = shop.run("-m", "bot.customers", "forget", "budi", "--yes")
    assert done.returncode == 0, done.stderr
    assert "FAQ yang Anda simpan dari dia" in done.stdout
    assert re.search(r"faq_belajar\.json \(belajar-\d+\)", done.stdout)
    # As it was worded for everybody.
    assert "ada layanan katering pernikahan?" in done.stdout.lower()
    assert files_with(shop, marker) == ["data/faq_belajar.json"]


def test_on_postgresql_no_column_of_any_table_has_a_trace(shop: Shop, marker: str, postgres_url: str) -> None:
    shop.settings["DATABASE_URL"] = postgres_url
    read = shop.read_knowledge()
    assert read.returncode == 0, read.stderr
    with shop.bot(LOG_LEVEL="DEBUG") as bot:
        leave_traces(bot, marker)
        found = columns_with(postgres_url, marker)
        assert {"customers.name", "inbox.raw", "outbox.body", "turns.asked", "handoffs.answer"} <= found
        done = shop.run("-m", "bot.customers", "forget", "budi", "--yes")
        assert done.returncode == 0, done.stderr
        assert columns_with(postgres_url, marker) == set()
        assert marker not in bot.ask("budi", RECALL, name="Budi")
        assert bot.stop() == 0
    assert columns_with(postgres_url, marker) == set()
    assert files_with(shop, marker) == []


def columns_with(postgres_url: str, marker: str) -> set[str]:
    """Every text or bytea column of the database that holds the marker, whoever made its table."""
    engine = postgres_engine(postgres_url)
    found = set()
    with engine.connect() as connection:
        in_database = {
            (name, column["name"])
            for name in inspect(connection).get_table_names()
            for column in inspect(connection).get_columns(name)
            if isinstance(column["type"], Text | LargeBinary) or "CHAR" in str(column["type"])
        }
        for table_name, column_name in sorted(in_database):
            held = f'"{table_name}"."{column_name}"'
            is_bytes = table_name in metadata.tables and isinstance(
                metadata.tables[table_name].c[column_name].type, LargeBinary
            )
            wanted = func.convert_to(marker, "UTF8") if is_bytes else literal(marker)
            count = connection.execute(
                select(func.count())
                .select_from(table(table_name))
                .where(func.position(wanted.op("IN")(literal_column(held))) > 0)
            ).scalar_one()
            if count:
                found.add(f"{table_name}.{column_name}")
    engine.dispose()
    return found


def test_without_a_yes_nothing_is_deleted_and_several_matches_are_listed(shop: Shop) -> None:
    with shop.bot() as bot:
        bot.ask("budi", "IH20 berapa kak?", name="Budi Santoso")
        bot.ask("budiman", "IH20 berapa kak?", name="Budiman")
    unsure = shop.run("-m", "bot.customers", "forget", "santoso")
    assert unsure.returncode == 1
    assert "Belum ada yang dihapus" in unsure.stderr
    several = shop.run("-m", "bot.customers", "forget", "budi", "--yes")
    assert several.returncode == 1
    assert "Ada 2 yang cocok" in several.stderr
    assert "Budiman" in several.stderr
    nobody = shop.run("-m", "bot.customers", "forget", "susi", "--yes")
    assert nobody.returncode == 1
    assert "Tidak ada pelanggan" in nobody.stderr
    listed = shop.run("-m", "bot.customers", "list").stdout
    assert listed.count("1 percakapan") == 2
    exact = shop.run("-m", "bot.customers", "forget", "#1", "--yes")
    assert exact.returncode == 0, exact.stderr
    assert "Budi Santoso" not in shop.run("-m", "bot.customers", "list").stdout
