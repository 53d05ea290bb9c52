"""A thought in several messages gets one answer, and a long answer comes in two bubbles."""

from __future__ import annotations

import pytest

from bot.whatsapp.channel import BUBBLE_CHARS
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.echo_model import codes_in
from tests.integration.whatsapp.shop.people import ask, hears, stranger
from tests.whatsapp_bot import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_fragments_of_one_thought_get_one_answer(wa: WhatsAppServer, make_bot: MakeBot) -> None:
    async with make_bot(BURST_QUIET_S="1", BURST_QUESTION_S="1") as bot:
        await bot.pair()
        budi = await stranger(wa)
        await budi.send("halo kak")
        codes = [await ask(budi) for _ in range(3)]
        await hears(budi, *codes)
        await bot.settled()
        [answer] = [received for received in budi.received if received.kind == "text"]
        assert codes_in(answer.text) == codes
        # All of them were shown as read before the answer.
        assert all(receipts.read for receipts in budi.receipts.values())
        # What he says after it is another thought.
        await hears(budi, await ask(budi))
        assert len([received for received in budi.received if received.kind == "text"]) == 2


async def test_a_long_answer_comes_in_two_bubbles_in_order(wa: WhatsAppServer, make_bot: MakeBot) -> None:
    bot = make_bot()
    lines = [
        f"{number}. Langkah nomor {number} dari cara pemasangan, dibaca pelan-pelan." for number in range(20)
    ]
    text = "\n\n".join(lines)
    assert BUBBLE_CHARS < len(text) < 2 * BUBBLE_CHARS
    (bot.folder / "data" / "kalimat.toml").write_text(f'privasi = """\n{text}"""\n', encoding="utf-8")
    async with bot:
        await bot.pair()
        budi = await stranger(wa)
        await budi.send("privasi")
        bubbles = [(await budi.receive(PATIENCE_S)).text for _ in range(2)]
        await bot.settled()
    assert len(budi.received) == 2
    assert bubbles[0].startswith(lines[0])
    assert "\n\n".join(bubbles).startswith(text)
    assert all(len(bubble) <= BUBBLE_CHARS * 1.3 for bubble in bubbles)
