"""The checker itself: it must find each kind of fault, and nothing where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.guarantees.ledger import Entry, Ledger, check


def sent(message_id: str, chat: str = "budi") -> Entry:
    return {"what": "sent", "id": message_id, "chat": chat}


def recorded(message_id: str, outcome: str = "new") -> Entry:
    return {"what": "recorded", "id": message_id, "outcome": outcome}


def delivered(row: str, *answers: str, chat: str = "budi") -> Entry:
    return {"what": "delivered", "row": row, "chat": chat, "answers": list(answers)}


def killed(*claimed: int) -> Entry:
    return {"what": "killed", "claimed": list(claimed)}


def exchange(message_id: str, row: str) -> list[Entry]:
    return [sent(message_id), recorded(message_id), delivered(row, message_id)]


def test_a_good_life_has_no_faults() -> None:
    verdict = check([*exchange("m1", "1"), *exchange("m2", "2"), {"what": "ended"}])
    assert verdict.faults == {}
    assert (verdict.answered, verdict.crashes, verdict.repeated) == (2, 0, 0)


def test_one_row_may_answer_a_burst() -> None:
    entries = [sent("m1"), recorded("m1"), sent("m2"), recorded("m2"), delivered("1", "m1", "m2")]
    assert check(entries).faults == {}


def test_an_acknowledged_id_without_an_answer_is_lost() -> None:
    assert check([sent("m1"), recorded("m1"), killed()]).faults == {"lost": ("m1",)}


@pytest.mark.parametrize("outcome", [None, "failed"])
def test_an_id_that_was_never_acknowledged_is_named_apart(outcome: str | None) -> None:
    said = [] if outcome is None else [recorded("m1", outcome)]
    assert check([sent("m1"), *said]).faults == {"unrecorded": ("m1",)}


def test_an_id_that_two_rows_answer_is_doubled() -> None:
    assert check([*exchange("m1", "1"), delivered("2", "m1")]).faults == {"doubled": ("m1",)}


def test_a_row_delivered_twice_without_a_crash_is_doubled() -> None:
    assert check([*exchange("m1", "1"), delivered("1", "m1")]).faults == {"doubled": ("row 1",)}


def test_a_crash_excuses_one_more_delivery_of_a_claimed_row() -> None:
    verdict = check([*exchange("m1", "1"), killed(1), delivered("1", "m1")])
    assert verdict.faults == {}
    assert verdict.repeated == 1


def test_a_crash_excuses_no_second_repetition() -> None:
    entries = [*exchange("m1", "1"), killed(1), delivered("1", "m1"), delivered("1", "m1")]
    assert check(entries).faults == {"doubled": ("row 1",)}


def test_each_crash_excuses_anew() -> None:
    entries = [*exchange("m1", "1"), killed(1), delivered("1", "m1"), killed(1), delivered("1", "m1")]
    assert check(entries).repeated == 2


def test_an_excuse_outlasts_a_crash_before_its_use() -> None:
    assert check([*exchange("m1", "1"), killed(1), killed(), delivered("1", "m1")]).faults == {}


def test_a_crash_excuses_no_row_that_was_not_in_hand() -> None:
    assert check([*exchange("m1", "1"), killed(2), delivered("1", "m1")]).faults == {"doubled": ("row 1",)}


def test_a_claimed_row_that_was_not_sent_has_no_excuse_left_after_its_first_delivery() -> None:
    entries = [sent("m1"), recorded("m1"), killed(1), delivered("1", "m1"), delivered("1", "m1")]
    assert check(entries).faults == {"doubled": ("row 1",)}


def test_notices_to_the_owner_are_counted_too() -> None:
    entries = [delivered("7", chat="owner"), delivered("7", chat="owner")]
    assert check(entries).faults == {"doubled": ("row 7",)}


def test_an_answer_to_nothing_is_unexpected() -> None:
    assert check([delivered("1", "m9")]).faults == {"unexpected": ("m9",)}


def test_an_answer_in_anothers_chat_is_unexpected() -> None:
    entries = [sent("m1", "budi"), recorded("m1"), delivered("1", "m1", chat="siti")]
    assert check(entries).faults == {"unexpected": ("m1",)}


def test_a_reply_after_a_later_ones_reply_is_disordered() -> None:
    said: list[Any] = [sent("m1"), recorded("m1"), sent("m2"), recorded("m2")]
    assert check([*said, delivered("2", "m2"), delivered("1", "m1")]).faults == {"disordered": ("m1",)}


def test_chats_do_not_wait_for_each_other() -> None:
    said = [sent("m1", "budi"), recorded("m1"), sent("m2", "siti"), recorded("m2")]
    assert check([*said, delivered("2", "m2", chat="siti"), delivered("1", "m1")]).faults == {}


def test_what_a_crash_found_unacknowledged_is_counted() -> None:
    entries = [sent("m1"), killed(), *exchange("m1", "1")]
    assert check(entries).unacknowledged == 1


def test_the_ledger_is_on_the_disk_at_once(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        ledger.note("sent", id="m1", chat="budi")
        assert '"m1"' in (tmp_path / "ledger").read_text()
        assert [entry["what"] for entry in ledger.entries()] == ["sent"]
