"""What does not work for want of a setting, for the owner: nothing is missing without a word."""

from __future__ import annotations

from config.settings import Settings


def switched_off(settings: Settings) -> list[str]:
    """One sentence each, beginning with the settings to fill in."""
    billing, alerts = settings.billing, settings.alerts
    found = []
    if settings.bot.admin_room is None:
        found.append("RUANG_ADMIN: pertanyaan yang diteruskan hanya terlihat dengan python -m bot.handoffs.")
    if settings.model.embedding_model is None:
        found.append("EMBEDDING_MODEL: pencarian hanya dari kata, bukan dari makna.")
    if settings.whatsapp.number is None:
        found.append("WHATSAPP_NUMBER: kalau bot keluar dari WhatsApp, alarm tidak membawa kode masuk.")
    if alerts.telegram_token is None and (alerts.number is None or billing.starsender_key is None):
        found.append("TELEGRAM_TOKEN dan TELEGRAM_CHAT: kalau WhatsApp sendiri yang mati, tidak ada kabar.")
    if alerts.number is not None and billing.starsender_key is None:
        found.append("STARSENDER_KEY: ALERT_NUMBER belum dipakai, alarm tidak lewat Starsender.")
    if alerts.ping_url is None:
        found.append("PING_URL: kalau servernya sendiri mati, tidak ada yang memberi tahu.")
    if billing.server_key is None:
        found.append("MIDTRANS_SERVER_KEY: pembayaran hanya lewat transfer bank.")
    if billing.starsender_key is None:
        found.append("STARSENDER_KEY: invoice dikirim bot sendiri.")
    if billing.public_url is None:
        found.append(
            "PUBLIC_URL: status pembayaran ditanyakan berkala, dan tidak ada halaman masuk WhatsApp."
        )
    if settings.operation.health_port is None:
        found.append("HEALTH_PORT: bot yang macet tidak ketahuan.")
    return found
