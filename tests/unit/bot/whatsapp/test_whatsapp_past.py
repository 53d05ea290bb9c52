"""What a phone tells of earlier chats: who wrote, who had the last word, and what is kept of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import DecodeError

from bot.whatsapp import past
from store.customers import Address


def conversation(protos: Any, chat: str, *said: tuple[bool, int, str], other: str = "") -> tuple[bytes, Any]:
    """The event's bytes and its only chat; each message is (by the shop, seconds, words)."""
    event = protos.HistorySync()
    event.Data.syncType = 0
    told = event.Data.conversations.add()
    told.ID, told.pnJID = chat, other
    for number, (by_shop, sent_s, words) in enumerate(said):
        message = told.messages.add().message
        message.key.remoteJID, message.key.ID, message.key.fromMe = chat, f"M{number}", by_shop
        message.messageTimestamp = sent_s
        if words:
            message.message.conversation = words
    return event.SerializeToString(), told


@pytest.mark.parametrize(
    ("said", "waiting", "last_ms"),
    [
        ([(False, 100, "halo")], True, 100_000),
        ([(True, 200, "ya Kak"), (False, 100, "halo")], False, 200_000),
        ([(False, 100, "halo"), (True, 90, "ya Kak")], True, 100_000),
        # What has no words in it (a key, a call) is nobody's last word.
        ([(True, 300, ""), (False, 100, "halo")], True, 100_000),
    ],
)
def test_who_had_the_last_word_waits_or_not(
    protos: Any, said: list[tuple[bool, int, str]], waiting: bool, last_ms: int
) -> None:
    raw, _ = conversation(protos, "111@lid", *said, other="62812@s.whatsapp.net")
    [chat] = past.conversations(raw)
    found = past.read(chat)
    assert found is not None
    assert (found.chat, found.waiting, found.last_ms) == ("111@lid", waiting, last_ms)
    assert found.addresses == (Address("lid", "111"), Address("s.whatsapp.net", "62812"))


def test_groups_empty_chats_and_the_shops_own_are_nobodys(protos: Any) -> None:
    assert past.conversations(conversation(protos, "120363@g.us", (False, 1, "halo"))[0]) == []
    assert past.conversations(conversation(protos, "status@broadcast", (False, 1, "halo"))[0]) == []
    [empty] = past.conversations(conversation(protos, "111@lid")[0])
    assert past.read(empty) is None
    [own] = past.conversations(conversation(protos, "999@lid", (True, 1, "catatan"))[0])
    assert past.read(own, own=("62811@s.whatsapp.net", "999@lid")) is None


def test_bytes_that_are_no_such_event_are_refused(protos: Any) -> None:
    with pytest.raises(DecodeError):
        past.conversations(b"\xff\xff\xff")


def test_what_is_kept_is_the_owners_alone_and_goes_by_its_age_and_with_its_customer(
    protos: Any, tmp_path: Path
) -> None:
    folder = past.folder_in(tmp_path, "utama")
    for number in range(3):
        _, chat = conversation(protos, f"11{number}@lid", (False, 100, f"rahasia {number}"))
        past.keep(folder, chat)
        past.keep(folder, chat)
    kept = sorted(folder.iterdir())
    assert len(kept) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert past.forget(folder, [Address("lid", "111"), Address("s.whatsapp.net", "62812")]) == 1
    assert not any(b"rahasia 1" in path.read_bytes() for path in folder.iterdir())
    os.utime(sorted(folder.iterdir())[0], (0, 0))
    assert past.forget_old(folder, days=30) == 1
    assert past.forget_old(folder, days=30) == 0
    assert past.forget_old(folder, days=0) == 1
    assert past.forget_old(tmp_path / "nowhere", days=0) == 0


def test_a_chat_that_is_being_written_while_old_ones_are_looked_for_ends_nothing(
    protos: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = past.folder_in(tmp_path, "utama")
    _, chat = conversation(protos, "111@lid", (False, 100, "halo"))
    past.keep(folder, chat)
    [path] = folder.iterdir()
    os.utime(path, (0, 0))
    (folder / f"{'0' * 32}-aaaaaaaa.part").touch()
    look = Path.stat

    def stat_late(self: Path, **how: Any) -> os.stat_result:
        # Between the list of the folder and the look at the file its writer has renamed it.
        if self.suffix == ".part":
            self.replace(self.with_suffix(".chat"))
        return look(self, **how)

    monkeypatch.setattr(Path, "stat", stat_late)
    assert past.forget_old(folder, days=30) == 1
    assert [left.name[:4] for left in folder.iterdir()] == ["0000"]
