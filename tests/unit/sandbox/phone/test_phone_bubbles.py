"""A chat as both phones show it: what a message becomes, and how far it came."""

from __future__ import annotations

import pytest

from sandbox.phone.bubble import Author, Bubble, Thread, Tick
from sandbox.whatsapp import contents
from sandbox.whatsapp.contents import Message, Received
from sandbox.whatsapp.jid import Jid
from sandbox.whatsapp.media import seal
from sandbox.whatsapp.phone import Receipts

BUDI = Jid.parse("6281234560001@s.whatsapp.net")
SHOP = Jid.parse("6281100000001:1@s.whatsapp.net")


def received(message_id: str, content: str | Message, sender: Jid = BUDI) -> Received:
    message = contents.text(content) if isinstance(content, str) else content
    return Received.now(message_id, message, sender=sender, chat=sender.account)


@pytest.fixture
def thread() -> Thread:
    """Budi asked, the bot answered; both phones have both."""
    thread = Thread()
    thread.take(received("A", "berapa kak?"), Author.CUSTOMER, at_customer=True, at_shop=True)
    thread.take(received("B", "*Rp10.000* Kak", SHOP), Author.BOT, at_customer=True, at_shop=True)
    return thread


def change(thread: Thread, content: Message, author: Author = Author.CUSTOMER) -> Bubble | None:
    return thread.take(received("X", content), author, at_customer=True, at_shop=True)


def test_a_copy_on_the_shops_phone_is_the_same_bubble() -> None:
    thread = Thread()
    first = thread.take(received("B", "halo", SHOP), Author.BOT, at_customer=True, at_shop=False)
    assert first is not None
    assert not first.at_shop
    again = thread.take(received("B", "halo", SHOP), Author.BOT, at_customer=False, at_shop=True)
    assert again is first
    assert first.at_customer
    assert first.at_shop
    assert list(thread.bubbles) == ["B"]


def test_the_bots_copy_that_no_customer_has_yet_is_only_sent() -> None:
    thread = Thread()
    bubble = thread.take(received("B", "halo", SHOP), Author.BOT, at_customer=False, at_shop=True)
    assert bubble is not None
    assert bubble.tick is Tick.SENT
    thread.take(received("B", "halo", SHOP), Author.BOT, at_customer=True, at_shop=False)
    assert bubble.tick is Tick.DELIVERED


def test_ticks_go_forward_only_and_each_step_is_told_once(thread: Thread) -> None:
    asked = thread.bubbles["A"]
    assert thread.tick({}) == []
    assert thread.tick({"A": Receipts()}) == []
    assert thread.tick({"A": Receipts(delivered={1})}) == [asked]
    assert thread.tick({"A": Receipts(delivered={1})}) == []
    assert thread.tick({"A": Receipts(delivered={1}, read={1})}) == [asked]
    assert asked.tick is Tick.READ
    assert not asked.advance(Tick.DELIVERED)
    assert asked.tick is Tick.READ


def test_a_reaction_sits_on_its_bubble_until_it_is_taken_away(thread: Thread) -> None:
    answer = thread.bubbles["B"]
    assert change(thread, contents.reaction("👍", to=answer.received)) is answer
    assert change(thread, contents.reaction("❤", to=answer.received)) is answer
    assert answer.reactions == {Author.CUSTOMER: "❤"}
    change(thread, contents.reaction("", to=answer.received))
    assert answer.reactions == {}
    assert list(thread.bubbles) == ["A", "B"]


def test_an_edit_changes_the_words_and_a_revocation_takes_them_away(thread: Thread) -> None:
    change(thread, contents.edit("A", "berapa ongkirnya?", chat=BUDI))
    shown = thread.shown(thread.bubbles["A"], chat="1")
    assert (shown["text"], shown["edited"], shown["deleted"]) == ("berapa ongkirnya?", True, False)
    change(thread, contents.revocation("A", chat=BUDI))
    shown = thread.shown(thread.bubbles["A"], chat="1")
    assert (shown["text"], shown["deleted"]) == ("", True)


def test_what_is_about_an_unknown_message_shows_nothing(thread: Thread) -> None:
    assert change(thread, contents.edit("unknown", "apa?", chat=BUDI)) is None
    assert list(thread.bubbles) == ["A", "B"]


def test_a_reply_shows_what_it_quotes(thread: Thread) -> None:
    reply = contents.reply("oke", to=thread.bubbles["B"].received)
    bubble = change(thread, reply)
    assert bubble is not None
    quoted = thread.shown(bubble, chat="1")["quoted"]
    assert quoted == {"id": "B", "author": Author.BOT, "kind": "text", "text": "*Rp10.000* Kak"}


def test_a_file_is_named_with_its_size_until_it_is_deleted() -> None:
    thread = Thread()
    message = contents.file(
        "document", seal("document", b"isi"), "/v/x?", mime="application/pdf", name="nota.pdf"
    )
    bubble = thread.take(received("F", message), Author.CUSTOMER, at_customer=True, at_shop=True)
    assert bubble is not None
    assert thread.shown(bubble, chat="1")["file"] == {
        "address": "file/1/F",
        "mime": "application/pdf",
        "name": "nota.pdf",
        "bytes": 3,
    }
    change(thread, contents.revocation("F", chat=BUDI))
    assert "file" not in thread.shown(bubble, chat="1")


def test_only_what_the_shop_wrote_and_nobody_read_is_unread(thread: Thread) -> None:
    answer = thread.bubbles["B"]
    assert thread.unread() == [answer]
    answer.advance(Tick.READ)
    assert thread.unread() == []
