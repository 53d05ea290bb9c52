"""Builds the owner's room of one shop."""

from __future__ import annotations

from bot import firstrun
from bot.chats import ChatWords
from bot.digest import Digest
from bot.foundation import Foundation
from bot.room.parts import RoomParts
from bot.room.registry import owners_room
from bot.room.room import OwnersRoom
from bot.selling.desk import OrderDesk
from bot.teaching import Teacher
from config.settings import Settings
from config.shop import Shop
from rag.faq_wording import FaqWriter


def assemble_room(f: Foundation, *, digest: Digest, desk: OrderDesk) -> OwnersRoom:
    """The room with all that it knows; ``desk`` is where orders are decided."""
    settings, model = f.settings, f.model
    return owners_room(
        RoomParts(
            store=f.store,
            queue=f.inbox,
            owner=f.instance,
            people=f.people,
            shop=f.shop,
            wording=f.wording,
            configured_mode=f.configured_mode,
            budget=f.budget,
            digest=digest,
            data_dir=settings.data_dir,
            answerer=f.answerer,
            teacher=Teacher(
                account=f.account,
                store=f.store,
                zone=f.shop.zona_waktu,
                budget=f.budget,
                writer=FaqWriter(model, settings.model),
            ),
            fetch=f.channel.fetch,
            most_file_bytes=settings.bot.media_max_mb * 1024 * 1024,
            claim_room=firstrun.mover(f.channel, f.people),
            notes=lambda: _notes(settings, f.shop),
            chats=ChatWords(people=f.people, queue=f.outbox),
            desk=desk,
        )
    )


def _notes(settings: Settings, shop: Shop) -> str:
    """What is switched off for want of a setting, for the owner's `status`."""
    off = []
    if settings.billing.server_key is None and shop.rekening:
        off.append("Link pembayaran mati (MIDTRANS_SERVER_KEY kosong); pelanggan bayar lewat transfer.")
    elif settings.billing.server_key is None:
        off.append("Pesanan belum bisa dibayar: isi MIDTRANS_SERVER_KEY, atau rekening di toko.toml.")
    if settings.model.embedding_model is None:
        off.append("Pencarian makna mati (EMBEDDING_MODEL kosong); aku mencari dari kata saja.")
    if settings.bot.media_max_mb == 0:
        off.append("Foto, voice note dan berkas pelanggan tidak kusimpan (MEDIA_MAX_MB=0).")
    return "\n".join(off)
