"""What the terminal shows."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from bot.channel import Outgoing, Recorded
from bot.terminal.codec import Line
from bot.terminal.faces import JsonFace, PlainFace, shown
from store.attachments import Document
from store.outbox import Kind

LINE = Line(person="budi", text="halo\nkak", message_id="m1")


def _outgoing(chat: str = "budi", kind: Kind = Kind.TEXT, body: str = "Halo Kak.\nAda?") -> Outgoing:
    return Outgoing(row_id=7, chat=chat, kind=kind, body=body, quoted_id="m1", answers=("m1", "m2"))


def test_json_has_one_object_a_line_with_the_ids_of_everything() -> None:
    out = io.StringIO()
    face = JsonFace(out)
    face.ready()
    face.recorded(LINE, Recorded.DUPLICATE)
    face.typing("budi")
    face.message(_outgoing())
    face.message(_outgoing(kind=Kind.REACTION, body="🙏"))
    face.complain("bukan JSON")
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"type": "ready"},
        {"type": "recorded", "id": "m1", "outcome": "duplicate"},
        {"type": "typing", "to": "budi"},
        {
            "type": "text",
            "id": "7",
            "to": "budi",
            "text": "Halo Kak.\nAda?",
            "quote": "m1",
            "answers": ["m1", "m2"],
        },
        {"type": "reaction", "id": "7", "to": "budi", "text": "🙏", "quote": "m1", "answers": ["m1", "m2"]},
        {"type": "error", "text": "bukan JSON"},
    ]


def test_plain_lines_read_as_a_chat_and_the_owners_can_be_quoted() -> None:
    out = io.StringIO()
    face = PlainFace("Toko Uji", out)
    face.ready()
    face.recorded(LINE, Recorded.NEW)
    face.typing("budi")
    face.message(_outgoing())
    face.message(_outgoing(chat="owner", body="🔔 Butuh jawaban"))
    face.message(_outgoing(kind=Kind.REACTION, body="🙏"))
    face.complain("bantuan")
    assert out.getvalue() == (
        "\nbudi: halo\nkak\nToko Uji → budi: Halo Kak.\nAda?\n"
        "[owner #7] 🔔 Butuh jawaban\nToko Uji 🙏\n! bantuan\n"
    )


def test_a_message_that_could_not_be_stored_is_said_so() -> None:
    out = io.StringIO()
    PlainFace("Toko Uji", out).recorded(LINE, Recorded.FAILED)
    assert "belum tersimpan" in out.getvalue()


@pytest.mark.parametrize("kind", [JsonFace, lambda out: PlainFace("Toko Uji", out)])
def test_each_line_is_written_in_one_piece(kind: type[JsonFace]) -> None:
    writes: list[str] = []

    class Out(io.StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return len(text)

    kind(Out()).message(_outgoing())
    assert len(writes) == 1
    assert writes[0].endswith("\n")


def test_a_file_is_named_above_its_caption() -> None:
    file = Document(data=b"%PDF", filename="INV-7.pdf", mimetype="application/pdf")
    message = replace(_outgoing(kind=Kind.DOCUMENT, body="Ini invoicenya ya Kak"), document=file)
    out = io.StringIO()
    JsonFace(out).message(message)
    assert json.loads(out.getvalue())["file"] == "INV-7.pdf"
    assert shown(message, "Toko Uji") == "Toko Uji → budi: 📄 INV-7.pdf\nIni invoicenya ya Kak"
    assert shown(replace(message, body=""), "Toko Uji") == "Toko Uji → budi: 📄 INV-7.pdf"
