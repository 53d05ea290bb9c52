"""Ads and WhatsApp's own catalogue: "ini berapa kak?" means what the message shows, never its price."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.whatsapp import showcase
from sandbox.whatsapp.contents import Message
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.echo_model import EchoModel
from tests.integration.whatsapp.shop.people import hears_text, stranger
from tests.integration.whatsapp.shop.test_bot_posts import prompts, recorded
from tests.whatsapp_bot import WhatsAppBot

__all__ = ["recorded"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP = "6281100000001@s.whatsapp.net"
ASKED = "ini berapa kak?"
# The catalogue of the test's shop has it at 275.000.
TITLE = "Internet 20 Mbps"
SHOWN_PRICE_IDR = 999_000


def advert() -> Message:
    return showcase.from_advert(ASKED, title=TITLE, body="Pasang gratis bulan ini")


def product(words: str = ASKED) -> Message:
    return showcase.product(
        TITLE, "Pasang gratis bulan ini", price_idr=SHOWN_PRICE_IDR, shop=SHOP, words=words
    )


def about_product() -> Message:
    return showcase.about_product(ASKED, product(""), message_id="A0B1C2D3", shop=SHOP)


def order(words: str = ASKED) -> Message:
    return showcase.order(TITLE, count=2, total_idr=2 * SHOWN_PRICE_IDR, shop=SHOP, words=words)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (advert, "Pasang gratis bulan ini"),
        (product, "Pasang gratis bulan ini"),
        (about_product, "Pasang gratis bulan ini"),
        (order, "2 barang"),
    ],
)
async def test_what_a_message_shows_is_searched_for_and_told_to_the_model_but_not_its_price(
    wa: WhatsAppServer, bot: WhatsAppBot, recorded: EchoModel, made: Callable[[], Message], told: str
) -> None:
    budi = await stranger(wa)
    await budi.send(made())
    await hears_text(budi)
    asked = prompts(recorded)
    assert told in asked
    assert TITLE in asked
    # "ini berapa kak?" alone finds no passage; its price is the catalogue's.
    assert "275.000" in asked
    assert "999" not in asked


@pytest.mark.parametrize(
    ("made", "told", "shown"),
    [
        (product, "mau ditanyakan apa", f"(produk dari katalog, {TITLE})"),
        # What is in a basket only a person can look up.
        (order, "Kuteruskan ke admin", f"(keranjang dari katalog, {TITLE}, 2 barang)"),
    ],
)
async def test_what_was_shown_without_a_word_is_what_the_next_message_is_about(
    wa: WhatsAppServer,
    bot: WhatsAppBot,
    recorded: EchoModel,
    made: Callable[[str], Message],
    told: str,
    shown: str,
) -> None:
    budi = await stranger(wa)
    await budi.send(made(""))
    assert told in await hears_text(budi)
    await budi.send(ASKED)
    await hears_text(budi)
    assert shown in prompts(recorded)
