"""The settings of running for months: health, alerts, and how long what was said is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from config import environment as env
from config.environment import keyed as _key
from config.secret import Secret

_port = env.whole(at_least=0, at_most=65_535)


def _port_or_off(raw: str) -> int | None:
    return None if raw.lower() == "off" else _port(raw)


@dataclass(frozen=True, kw_only=True)
class OperationSettings:
    """What is watched, and from where on it is a matter for the owner."""

    # Loopback only. 0 takes any free port and logs which; None serves no health.
    health_port: int | None = field(default=8081, metadata=_key("HEALTH_PORT", _port_or_off))
    disk_free_mb: int = field(default=500, metadata=_key("DISK_FREE_MB", env.whole(at_least=1)))
    unanswered_min: float = field(
        default=10.0, metadata=_key("UNANSWERED_MIN", env.number(at_least=0.1, at_most=10_080))
    )
    offline_min: float = field(
        default=10.0, metadata=_key("OFFLINE_MIN", env.number(at_least=0.1, at_most=10_080))
    )
    # Chats, finished messages and answered questions older than this are deleted; 0 keeps them for ever.
    keep_chats_days: int = field(
        default=180, metadata=_key("KEEP_CHATS_DAYS", env.whole(at_least=0, at_most=36_500))
    )


@dataclass(frozen=True, kw_only=True)
class AlertSettings:
    """Where alerts go besides the owner's room, which needs the very WhatsApp that may be down."""

    telegram_token: Secret | None = field(
        default=None, metadata=_key("TELEGRAM_TOKEN", env.optional(env.secret))
    )
    telegram_chat: str | None = field(default=None, metadata=_key("TELEGRAM_CHAT", env.optional(env.text)))
    telegram_url: str = field(default="https://api.telegram.org", metadata=_key("TELEGRAM_URL", env.http_url))
    # A person's own number, which Starsender writes to from another number than the shop's.
    number: str | None = field(default=None, metadata=_key("ALERT_NUMBER", env.optional(env.phone)))
    # Asked every minute while all is well: whoever is behind it notices when it stops.
    ping_url: str | None = field(default=None, metadata=_key("PING_URL", env.optional(env.http_url)))

    def __repr__(self) -> str:
        # A ping's address is a key of its own.
        return f"AlertSettings(telegram={self.telegram_chat!r}, ping={self.ping_url is not None})"


def problems_of(values: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with values that are each right alone; the values are AlertSettings's arguments."""
    token, chat = values.get("telegram_token"), values.get("telegram_chat")
    if (token is None) != (chat is None):
        yield (
            "TELEGRAM_TOKEN and TELEGRAM_CHAT belong together: write the bot's token and the chat's number, "
            "or neither."
        )
