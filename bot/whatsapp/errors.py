"""Errors of the WhatsApp channel.

SessionUnusable (ConfigError)    a person must act: the session file is damaged, open to others, in use
ChannelEnded (bot.channel)       the process must end, with the exit code that tells Supervisor what to do
"""

from __future__ import annotations

from config.errors import ConfigError


class SessionUnusable(ConfigError):
    """The session file must not be used as it is; the text says why and what to do."""


def unusable(problem: str) -> SessionUnusable:
    """The error with its one sentence."""
    return SessionUnusable([problem])
