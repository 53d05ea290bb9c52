"""Guarantees 1 to 5: kill -9 at random and at every step loses, doubles and disorders nothing."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.openai.process import OpenAIStandInProcess
from tests.guarantees.crashes import (
    STEPS,
    Story,
    killed_at_entry,
    killed_at_every_step,
    killed_at_random,
    replayed,
    stopped_in_order,
)
from tests.guarantees.home import Home
from tests.tally import Tally

Report = Callable[[str], None]
Tallies = Callable[[Tally], None]
MakeHome = Callable[..., Home]
QUICK_ROUNDS = 15
TORTURE_ROUNDS = int(os.environ.get("BALAS_ROUNDS", "200"))
# Deaths that hit an idle bot prove nothing.
LEAST_SHARE_WITH_WORK = 0.8
# The deaths after which an answer that the customer has must go out again.
SENT_NOT_MARKED = ("after:bot.terminal.faces.JsonFace.message:3", "after:store.outbox.mark_sent:2")


def told(story: Story) -> str:
    verdict = story.verdict
    return (
        f"seed {story.seed}, {story.kills} kills ({story.kills_with_work} with work claimed, "
        f"{story.starts_killed} more while starting), {verdict.answered} answered, "
        f"{verdict.repeated} repeated, {verdict.unacknowledged} unacknowledged at a kill, "
        f"faults {verdict.faults or 'none'}, {story.took_s:.0f} s"
    )


def assert_holds_under_kills(story: Story, home: Home) -> None:
    assert story.verdict.faults == {}, told(story)
    assert story.kills_with_work >= LEAST_SHARE_WITH_WORK * story.kills, told(story)
    assert home.claimed("inbox") == home.claimed("outbox") == [], "work was left in hand"


def test_kill_9_at_random_loses_doubles_and_disorders_nothing(
    make_home: MakeHome, tmp_path: Path, seed: int, report: Report, tally: Tallies
) -> None:
    home = make_home()
    story = killed_at_random(home, tmp_path / "ledger", seed=seed, rounds=QUICK_ROUNDS)
    report(told(story))
    tally(story.tally())
    assert_holds_under_kills(story, home)
    assert home.is_sound()


@pytest.mark.torture
def test_many_kills_lose_double_and_disorder_nothing(
    make_home: MakeHome, tmp_path: Path, seed: int, report: Report, tally: Tallies
) -> None:
    home = make_home()
    story = killed_at_random(home, tmp_path / "ledger", seed=seed, rounds=TORTURE_ROUNDS)
    report(told(story))
    tally(story.tally())
    assert_holds_under_kills(story, home)
    assert home.is_sound()


@pytest.mark.torture
def test_many_kills_lose_double_and_disorder_nothing_on_postgresql(
    template: Home, postgres_url: str, tmp_path: Path, seed: int, report: Report, tally: Tallies
) -> None:
    home = Home(state_dir=tmp_path / "var", model_url=template.model_url, database_url=postgres_url)
    home.ingest()
    story = killed_at_random(home, tmp_path / "ledger", seed=seed, rounds=TORTURE_ROUNDS)
    report(told(story))
    tally(story.tally())
    assert_holds_under_kills(story, home)


def test_a_death_at_every_step_repeats_only_what_was_sent_and_not_yet_marked(
    make_home: MakeHome, tmp_path: Path, report: Report, tally: Tallies
) -> None:
    home = make_home()
    story = killed_at_every_step(home, tmp_path / "ledger")
    report(told(story))
    tally(story.tally())
    assert story.verdict.faults == {}, told(story)
    # A death between send and mark cannot be told from one before the send: the answer goes out once more.
    assert story.verdict.repeated >= len(SENT_NOT_MARKED), told(story)
    assert home.is_sound()


def test_without_a_crash_nothing_is_repeated(
    make_home: MakeHome, tmp_path: Path, seed: int, report: Report, tally: Tallies
) -> None:
    story = stopped_in_order(make_home(), tmp_path / "ledger", seed=seed)
    report(told(story))
    tally(story.tally())
    assert story.verdict.faults == {}, told(story)
    assert (story.verdict.crashes, story.verdict.repeated) == (0, 0)


def assert_bounded_by_the_callback(story: Story, report: Report, tally: Tallies) -> None:
    tally(story.tally())
    commits = [1000 * each for each in story.commit_s]
    report(
        f"{told(story)}; {story.never_committed} entered and never committed; callback to commit, "
        f"pipes included: p50 {statistics.median(commits):.1f} ms, "
        f"p99 {statistics.quantiles(commits, n=100)[98]:.1f} ms"
    )
    assert story.verdict.faults == {}, told(story)
    assert story.verdict.unacknowledged <= story.kills, "more than one message in the callback"
    assert story.never_committed <= story.verdict.unacknowledged


def test_only_the_message_whose_callback_is_committing_can_be_lost(
    make_home: MakeHome, tmp_path: Path, seed: int, report: Report, tally: Tallies
) -> None:
    story = killed_at_entry(make_home(), tmp_path / "ledger", seed=seed, rounds=4)
    assert_bounded_by_the_callback(story, report, tally)


@pytest.mark.torture
def test_only_the_message_whose_callback_is_committing_can_be_lost_many_times(
    make_home: MakeHome, tmp_path: Path, seed: int, report: Report, tally: Tallies
) -> None:
    story = killed_at_entry(make_home(), tmp_path / "ledger", seed=seed, rounds=TORTURE_ROUNDS // 2)
    assert_bounded_by_the_callback(story, report, tally)
    assert story.verdict.unacknowledged > 0, "no kill hit a callback"


def test_one_id_is_processed_once_however_often_it_comes(
    make_home: MakeHome, tmp_path: Path, seed: int, report: Report, tally: Tallies
) -> None:
    story = replayed(make_home(), tmp_path / "ledger", seed=seed)
    report(told(story))
    tally(story.tally())
    assert story.verdict.faults == {}, told(story)


@pytest.fixture
def moody_model(model: OpenAIStandInProcess) -> Iterator[None]:
    """Some answers take long, some none: whoever works on two of a chat at once mixes them up."""
    model.control(mode="slow", rate=0.4, delay_s=0.25, seed=5)
    yield
    model.control(mode="ok")


@pytest.mark.usefixtures("moody_model")
def test_replies_keep_their_order_in_each_chat(
    make_home: MakeHome, tmp_path: Path, seed: int, report: Report, tally: Tallies
) -> None:
    story = killed_at_random(make_home(), tmp_path / "ledger", seed=seed, rounds=2, chats=5)
    report(told(story))
    tally(story.tally())
    assert story.verdict.faults == {}, told(story)


@pytest.mark.usefixtures("moody_model")
def test_the_mutant_without_lanes_is_found_to_mix_up_the_order(
    make_home: MakeHome, tmp_path: Path, seed: int
) -> None:
    story = killed_at_random(
        make_home(), tmp_path / "ledger", seed=seed, rounds=2, chats=5, mutant="lanes_without_order"
    )
    assert story.verdict.disordered, told(story)


@pytest.mark.torture
@pytest.mark.usefixtures("moody_model")
def test_replies_keep_their_order_in_200_chats(
    make_home: MakeHome, tmp_path: Path, seed: int, report: Report, tally: Tallies
) -> None:
    story = killed_at_random(make_home(), tmp_path / "ledger", seed=seed, rounds=20, chats=200, per_s=300)
    report(told(story))
    tally(story.tally())
    assert story.verdict.faults == {}, told(story)


def test_the_mutant_that_leaves_claims_behind_is_found_to_lose(
    make_home: MakeHome, tmp_path: Path, seed: int
) -> None:
    story = killed_at_random(
        make_home(), tmp_path / "ledger", seed=seed, rounds=2, mutant="claims_left_behind"
    )
    assert story.verdict.lost, told(story)


def test_the_mutant_that_acknowledges_before_the_commit_is_found_to_lose(
    make_home: MakeHome, tmp_path: Path, seed: int
) -> None:
    story = killed_at_entry(
        make_home(), tmp_path / "ledger", seed=seed, rounds=2, mutant="acknowledged_before_commit"
    )
    assert story.verdict.lost, told(story)


def test_the_mutant_that_forgets_ids_is_found_to_answer_twice(
    make_home: MakeHome, tmp_path: Path, seed: int
) -> None:
    story = replayed(make_home(), tmp_path / "ledger", seed=seed, mutant="ids_forgotten")
    assert story.verdict.doubled, told(story)
    assert any(found.startswith("r") and not found.startswith("row") for found in story.verdict.doubled)


def test_the_mutant_that_marks_before_it_sends_is_found_to_lose(make_home: MakeHome, tmp_path: Path) -> None:
    steps = [step for step in STEPS if step.startswith("before:bot.terminal")]
    story = killed_at_every_step(make_home(), tmp_path / "ledger", steps=steps, mutant="marked_before_sent")
    assert story.verdict.lost, told(story)


def test_the_mutant_that_sends_marked_rows_again_is_found_to_double(
    make_home: MakeHome, tmp_path: Path
) -> None:
    steps = [step for step in STEPS if "Delivery._mark_sent" in step]
    story = killed_at_every_step(make_home(), tmp_path / "ledger", steps=steps, mutant="sent_rows_taken_back")
    assert any(found.startswith("row") for found in story.verdict.doubled), told(story)
