"""What a reply was, and how the next message is read by it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from billing.menu import Pick
from bot.selling import marks
from bot.selling.marks import Mark
from store.turns import Author, Turn


def turn(*source_ids: str, replied: str = "x", author: Author = Author.BOT) -> Turn:
    return Turn(id=1, asked="", replied=replied, author=author, created_ms=0, source_ids=source_ids)


def test_a_reply_that_was_never_sent_or_that_a_person_gave_is_none_of_ours() -> None:
    assert marks.is_(turn(Mark.MENU), Mark.MENU)
    assert not marks.is_(turn(Mark.MENU, replied=""), Mark.MENU)
    assert not marks.is_(turn(Mark.MENU, author=Author.HUMAN), Mark.MENU)
    assert not marks.is_(turn(), Mark.MENU)
    assert not marks.is_(None, Mark.MENU)


_CODES = st.from_regex(r"\A[A-Z0-9][A-Z0-9._/-]{0,31}\Z")


@given(st.lists(st.builds(Pick, code=_CODES, quantity=st.integers(0, 999_999)), max_size=8))
def test_what_was_read_back_can_be_read_again_from_its_marks(picks: list[Pick]) -> None:
    # Turns keep them as words between spaces.
    stored = tuple(" ".join(marks.of_read_back(picks)).split())
    assert marks.picks_of(turn(*stored)) == picks


@given(st.lists(_CODES | st.from_regex(r"\A#[a-z0-9]{1,12}\Z"), max_size=12))
def test_a_menus_numbers_are_kept_in_their_order(entries: list[str]) -> None:
    stored = tuple(" ".join(marks.of_menu(entries)).split())
    assert marks.entries_of(turn(*stored)) == tuple(entries)


def test_a_question_is_known_by_its_label() -> None:
    asked = turn(*marks.of_detail("nomor meter atau ID pelanggan PLN"))
    assert marks.asked_for(asked, "Nomor meter atau ID pelanggan PLN")
    assert not marks.asked_for(asked, "nama")
