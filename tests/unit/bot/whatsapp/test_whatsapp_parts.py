"""The small parts: addresses, what is subscribed to, refusals, the session's path, the pairing's files."""

from __future__ import annotations

import ast
import json
import stat
from pathlib import Path

import pytest

from bot.whatsapp import bridge, jids, session
from bot.whatsapp.errors import SessionUnusable
from bot.whatsapp.pairing import PairingFiles
from bot.whatsapp.refusals import LONGEST_PAUSE_S, Refusals, pause_s
from sandbox.whatsapp.protos import neonize_folder

TABLE = neonize_folder() / "events.py"
# Our name of an event's number, and neonize's class of it.
CLASSES = {
    "PAIR_STATUS": "PairStatusEv",
    "CONNECTED": "ConnectedEv",
    "KEEPALIVE_TIMEOUT": "KeepAliveTimeoutEv",
    "KEEPALIVE_RESTORED": "KeepAliveRestoredEv",
    "LOGGED_OUT": "LoggedOutEv",
    "STREAM_REPLACED": "StreamReplacedEv",
    "TEMPORARY_BAN": "TemporaryBanEv",
    "CONNECT_FAILURE": "ConnectFailureEv",
    "CLIENT_OUTDATED": "ClientOutdatedEv",
    "STREAM_ERROR": "StreamErrorEv",
    "DISCONNECTED": "DisconnectedEv",
    "MESSAGE": "MessageEv",
    "OFFLINE_PREVIEW": "OfflineSyncPreviewEv",
    "OFFLINE_COMPLETED": "OfflineSyncCompletedEv",
    "UNDECRYPTABLE": "UndecryptableMessageEv",
    "HISTORY_SYNC": "HistorySyncEv",
}


def numbers_of_neonize() -> dict[str, int]:
    """neonize's table of events, read from its source: importing it would load Go."""
    tree = ast.parse(TABLE.read_text())
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "EVENT_TO_INT":
            assert isinstance(node.value, ast.Dict)
            return {
                ast.unparse(key): ast.literal_eval(value)
                for key, value in zip(node.value.keys, node.value.values, strict=True)
                if key is not None
            }
    raise AssertionError("neonize has no EVENT_TO_INT any more")


def test_each_number_is_what_neonize_says() -> None:
    theirs = numbers_of_neonize()
    assert {name: getattr(bridge, name) for name in CLASSES} == {
        name: theirs[found] for name, found in CLASSES.items()
    }


def test_nothing_is_subscribed_to_that_we_have_no_use_for() -> None:
    """Receipts least of all: one with an unset field ends the event pump."""
    assert set(bridge.SUBSCRIBED) == {getattr(bridge, name) for name in CLASSES}
    assert numbers_of_neonize()["ReceiptEv"] not in bridge.SUBSCRIBED


@pytest.mark.parametrize("written", ["", "budi", "@lid", "111@", "111"])
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no WhatsApp address"):
        jids.split(written)


@pytest.mark.parametrize(
    ("setting", "room"),
    [
        (None, None),
        ("120363@g.us", "120363@g.us"),
        ("0812-3456-7890", "6281234567890@s.whatsapp.net"),
        ("+62 812 3456 7890", "6281234567890@s.whatsapp.net"),
        ("ruang", None),
    ],
)
def test_the_owners_room_is_a_group_or_a_number(setting: str | None, room: str | None) -> None:
    assert jids.room(setting) == room


@pytest.mark.parametrize("folder", ["toko#1", "toko%20", "a?b", "a&b"])
def test_a_path_that_the_library_would_misread_is_refused(folder: str) -> None:
    with pytest.raises(SessionUnusable, match="STATE_DIR"):
        session.address(Path("/srv") / folder / "wa.db")


def test_a_session_that_is_not_there_yet_is_no_error(tmp_path: Path) -> None:
    assert session.check(tmp_path / "wa.db", number=None) is None
    (tmp_path / "wa.db").touch(mode=0o600)
    assert session.check(tmp_path / "wa.db", number=None) is None


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wa.db"
    path.write_bytes(b"bukan basis data" * 500)
    path.chmod(0o600)
    with pytest.raises(SessionUnusable, match="is damaged"):
        session.check(path, number=None)


def test_pauses_double_over_processes_until_a_login(tmp_path: Path) -> None:
    pauses = [Refusals(tmp_path, "utama").note() for _ in range(4)]
    assert pauses == [60, 120, 240, 480]
    Refusals(tmp_path, "utama").forget()
    assert Refusals(tmp_path, "utama").note() == 60
    assert pause_s(10_000) == LONGEST_PAUSE_S


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"times": "x"}', b"null"])
def test_a_damaged_note_of_refusals_counts_from_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "utama-refusals.json").write_bytes(content)
    assert Refusals(tmp_path, "utama").note() == 60


def test_a_code_to_type_stays_while_qr_codes_change(tmp_path: Path) -> None:
    files = PairingFiles(tmp_path, "utama")
    files.show_qr("satu")
    files.show_code("ABCD-EFGH")
    files.show_qr("dua")
    told = json.loads((tmp_path / "utama-pairing.json").read_bytes())
    assert (told["qr"], told["code"]) == ("dua", "ABCD-EFGH")
    assert [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()] == [0o600, 0o600]
    files.remove()
    files.remove()
    assert list(tmp_path.iterdir()) == []
