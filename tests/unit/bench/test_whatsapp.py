import asyncio
import itertools
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench import commits, whatsapp
from bench.figures import falls_short, is_figure
from bench.linked import Cost, LinkedBot
from bench.whatsapp import Samples, Times, void_when_server_bound


class FakeLinked(LinkedBot):
    """Customers without phones: what matters is how many of them ask at once."""

    def __init__(self) -> None:
        self.asked = self.now = self.most = 0

    @property
    def process(self) -> psutil.Process:
        return psutil.Process()

    def asker(self, number: int) -> Any:
        return self

    async def ask(self, text: str) -> None:
        self.asked += 1
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1

    def _look_for_surplus(self) -> None:
        """Nobody answers here."""


def test_the_server_s_ceiling_is_what_its_own_cpu_time_allows() -> None:
    assert Cost(a_second=50, bot_cpu_ms=12, server_cpu_ms=2.5).server_ceiling == 400


@pytest.mark.parametrize(("ceiling", "void"), [(199, "server-bound"), (200, ""), (800, "")])
def test_a_rate_proves_something_only_when_the_server_could_take_twice_of_it(ceiling: int, void: str) -> None:
    assert void_when_server_bound(ceiling=ceiling, rate=100) == void


def test_a_void_figure_is_short_however_good_its_value(capsys: pytest.CaptureFixture[str]) -> None:
    whatsapp.figure("whatsapp.throughput_ratio", 0.95, "x", at_least=0.7, void="server-bound")
    line = capsys.readouterr().out.strip()
    assert line == "figure whatsapp.throughput_ratio 0.95 x >=0.7 short (server-bound)"
    assert is_figure(line)
    assert falls_short(line)


def test_a_block_with_one_chat_is_told_by_its_quantiles() -> None:
    side = Samples()
    side.singles([float(number) for number in range(101)])
    assert (side.p50_ms, side.p95_ms) == ([50], [95])


def test_the_ceiling_of_a_side_is_the_median_of_its_blocks() -> None:
    side = Samples()
    for cpu_ms in (1, 2, 10):
        side.crowds.append(Cost(a_second=1, bot_cpu_ms=1, server_cpu_ms=cpu_ms))
    assert side.ceiling == 500


def test_times_are_read_block_by_block(tmp_path: Path) -> None:
    file = tmp_path / "times"
    file.write_text("1.500\n2.000\n")
    times = Times(file)
    assert times.new_ms() == [1.5, 2.0]
    with file.open("a") as more:
        more.write("3.250\n")
    assert times.new_ms() == [3.25]
    assert times.new_ms() == []


def test_the_lone_customer_is_none_of_the_crowd_and_each_of_these_asks_equally_often() -> None:
    crowd = whatsapp._crowd(each=3, seed=1)
    assert {ask.customer for ask in whatsapp._singles(10, 1)} == {0}
    counts = {
        who: len(list(asked)) for who, asked in itertools.groupby(sorted(ask.customer for ask in crowd))
    }
    assert counts == dict.fromkeys(range(1, 201), 3)


def test_each_of_a_thousand_chats_asks_and_the_crowd_is_the_usual_one_otherwise() -> None:
    crowd = whatsapp._crowd(each=2, seed=5, chats=whatsapp.CHATS_IN_ALL)
    assert len(crowd) == 2_000
    assert {ask.customer for ask in crowd} == set(range(1, 1_001))


async def test_no_more_chats_are_active_at_once_than_wanted() -> None:
    bot = FakeLinked()
    await bot.crowd(whatsapp._crowd(each=2, seed=5, chats=50), at_once=7)
    assert (bot.asked, bot.most) == (100, 7)
    await bot.crowd(whatsapp._crowd(each=1, seed=5, chats=50))
    assert bot.most == 50


def test_every_side_comes_first_in_some_round() -> None:
    names = ["a", "b", "c"]
    turned = [whatsapp._turned(names, number) for number in range(3)]
    assert [order[0] for order in turned] == names
    assert all(sorted(order) == names for order in turned)


def test_a_bare_commit_is_on_disk_and_as_durable_as_the_product_s(tmp_path: Path) -> None:
    file = tmp_path / "bare.db"
    assert len(commits.commits_ms(file, 3, every_s=0)) == 3
    with commits.committing(file) as connection:
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (3,)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("name", ["neonize_echo", "bare_ai_bot"])
def test_the_baselines_are_short_enough_to_be_read_at_a_glance(name: str) -> None:
    lines = (Path(whatsapp.__file__).parent / "baselines" / f"{name}.py").read_text().splitlines()
    assert len(lines) <= 60
