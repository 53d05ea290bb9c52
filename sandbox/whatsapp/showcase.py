"""What customers bring along from the shop's showcases: its ads, and its catalogue on WhatsApp."""

from __future__ import annotations

from sandbox.whatsapp.contents import Message
from sandbox.whatsapp.protos import E2E

# WhatsApp counts money in thousandths.
_THOUSANDTHS = 1000


def from_advert(words: str, *, title: str, body: str, source_id: str = "120210000000000001") -> Message:
    """The first message of somebody who tapped an ad that opens the chat."""
    made = E2E.Message()
    made.extendedTextMessage.text = words
    context = made.extendedTextMessage.contextInfo
    context.entryPointConversionSource = "ctwa_ad"
    context.entryPointConversionApp = "facebook"
    advert = context.externalAdReply
    advert.title, advert.body = title, body
    advert.mediaType = E2E.ContextInfo.ExternalAdReplyInfo.IMAGE
    advert.sourceType, advert.sourceID, advert.sourceURL = "ad", source_id, "https://fb.me/iklan"
    advert.showAdAttribution = True
    return made


def product(title: str, description: str, *, price_idr: int, shop: str, words: str = "") -> Message:
    """A product of the catalogue, as the button "message business" under it sends it."""
    made = E2E.Message()
    shown = made.productMessage.product
    shown.productID, shown.productImageCount = "7001", 1
    shown.title, shown.description = title, description
    shown.currencyCode, shown.priceAmount1000 = "IDR", price_idr * _THOUSANDTHS
    made.productMessage.businessOwnerJID = shop
    if words:
        made.productMessage.body = words
    return made


def about_product(words: str, shown: Message, *, message_id: str, shop: str) -> Message:
    """Words that quote a product."""
    made = E2E.Message()
    made.extendedTextMessage.text = words
    context = made.extendedTextMessage.contextInfo
    context.stanzaID, context.participant = message_id, shop
    context.quotedMessage.CopyFrom(shown)
    return made


def order(title: str, *, count: int, total_idr: int, shop: str, words: str = "") -> Message:
    """A basket that was filled in the catalogue and sent off."""
    made = E2E.Message()
    sent = made.orderMessage
    sent.orderID, sent.token, sent.sellerJID = "9001", "dG9rZW4=", shop
    sent.orderTitle, sent.itemCount = title, count
    sent.status, sent.surface = sent.INQUIRY, sent.CATALOG
    sent.totalAmount1000, sent.totalCurrencyCode = total_idr * _THOUSANDTHS, "IDR"
    if words:
        sent.message = words
    return made
