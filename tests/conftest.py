"""Fixtures that every test may use, and a loud word when PostgreSQL was missing.

Heavy imports are inside the fixtures, so that a test of pure code does not pay for a database.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import hypothesis
import pytest

from tests.tally import Tally, table

if TYPE_CHECKING:
    from config.settings import Settings
    from sandbox.weaviate.shared import Server
    from store.doors import Store
    from store.postgres import PostgresStore
    from store.sqlite import SqliteStore
    from tests.postgres import PostgresServer

_FIGURE = "figure"
_TALLY = "tally"
# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("balas", deadline=None)
hypothesis.settings.load_profile("balas")

# What tests may find missing, as their skip says it, and the Debian package that has it.
_MISSING = {
    "PostgreSQL is not installed": "postgresql",
    "Chromium is not installed": "chromium",
    # There is no package of Weaviate; Go builds it.
    "Weaviate is not installed": "golang, of version 1.26 or newer",
    "strace is not installed": "strace",
}


def everything_is_required() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"} or os.environ.get("BALAS_REQUIRE_ALL") == "1"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server. Where there is none the tests are skipped loudly; on a build server they fail."""
    from tests.postgres import PostgresMissing, PostgresServer

    missing = ""
    try:
        server = PostgresServer()
    except PostgresMissing as exc:
        missing = str(exc)
    if missing and everything_is_required():
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(missing)
    server.start()
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: PostgresServer) -> str:
    """A database with the newest schema, to be copied: a copy costs less than the migrations."""
    from store.migrations import upgrade
    from store.postgres import postgres_engine
    from tests.postgres import TEMPLATE

    postgres_server.administrate(f"CREATE DATABASE {TEMPLATE}")
    engine = postgres_engine(postgres_server.url(TEMPLATE))
    with engine.connect() as connection:
        upgrade(connection)
    engine.dispose()
    return TEMPLATE


@pytest.fixture(scope="session")
def weaviate_program() -> Path:
    """The server's program, built now if need be. Where that is impossible the tests are skipped loudly."""
    from sandbox.weaviate.binary import WeaviateMissing, find_or_build

    try:
        return find_or_build()
    except WeaviateMissing as exc:
        _without_weaviate(str(exc))


@pytest.fixture(scope="session")
def weaviate_server() -> Iterator[Server]:
    """A running server that tests share, each with collections of its own. Nobody harms this one."""
    from sandbox.weaviate.binary import WeaviateMissing
    from sandbox.weaviate.shared import shared

    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(shared())
        except WeaviateMissing as exc:
            _without_weaviate(str(exc))
        yield server


def _without_weaviate(missing: str) -> NoReturn:
    if everything_is_required():
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, _postgres_template: str) -> Iterator[str]:
    """The address of a fresh database with the newest schema and nothing in it."""
    name = postgres_server.create_database(_postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a fresh database without any table."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    """Where a store on SQLite is to be; neither the file nor its folder is there yet."""
    return tmp_path / "var" / "balas.db"


@pytest.fixture
async def sqlite_store(sqlite_path: Path) -> AsyncIterator[SqliteStore]:
    """An open, empty store on SQLite."""
    from store.sqlite import SqliteStore

    store = await SqliteStore.open(sqlite_path)
    yield store
    await store.close()


@pytest.fixture
async def postgres_store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    """An open, empty store on PostgreSQL."""
    from store.postgres import PostgresStore

    store = await PostgresStore.open(postgres_url)
    yield store
    await store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """An open, empty store, once on each database."""
    name = {"sqlite": "sqlite_store", "postgresql": "postgres_store"}[request.param]
    opened: Store = request.getfixturevalue(name)
    return opened


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """``make_settings(BALAS_MODE="off")``: settings from these keys alone, in folders of the test."""

    def make(**keys: str) -> Settings:
        from config.settings import Settings

        defaults = {
            "OPENAI_API_KEY": "kunci-uji",
            "SHOP_NAME": "Toko Uji",
            "DATA_DIR": str(tmp_path / "data"),
            "STATE_DIR": str(tmp_path / "var"),
        }
        (tmp_path / "data").mkdir(exist_ok=True)
        return Settings.load(environ=defaults | keys, env_file=None)

    return make


@pytest.fixture
def seed() -> int:
    """Random unless BALAS_SEED is set; every report names it, so that a failure can be repeated."""
    return int(os.environ.get("BALAS_SEED") or secrets.randbelow(10**6))


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say a figure in the run's summary."""
    # A property of the test reaches the summary from another process, too, when tests run in several.
    return lambda text: record_property(_FIGURE, text)


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Callable[[Tally], None]:
    """Put what a scenario with deaths counted into the table at the end of the run."""
    return lambda row: record_property(_TALLY, row.written())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, object, object]:
    """The figures that tests reported, the table of deaths; and at the very end, so that nobody misses them,
    the tests that could not run for want of a program.
    """
    result = yield
    told = [
        (report.nodeid.partition("::")[2], name, text)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "teardown"
        for name, text in report.user_properties
    ]
    figures = [f"{test}: {text}" for test, name, text in told if name == _FIGURE]
    if figures:
        terminalreporter.section("figures", sep="-")
        for figure in figures:
            terminalreporter.line(figure)
    if rows := [Tally.read(test, text) for test, name, text in told if name == _TALLY]:
        terminalreporter.section("lost, doubled, disordered, credited twice", sep="-")
        for line in table(rows):
            terminalreporter.line(line)
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    counts = {what: sum(what in reason for reason in reasons) for what in _MISSING}
    if any(counts.values()):
        terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
    for what, count in counts.items():
        if count:
            terminalreporter.line(
                f"{count} tests did not run: {what} (apt-get install {_MISSING[what]}). "
                "With CI=true or BALAS_REQUIRE_ALL=1 this is a failure.",
                red=True,
                bold=True,
            )
    return result
