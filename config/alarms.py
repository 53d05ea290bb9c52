"""The owner's words of an alert: the sentence of ``kalimat.toml`` that tells it, and its name in a list."""

from __future__ import annotations

import re

from config.wording import Wording

_TITLE = re.compile(r"\*(.+?)\*")
OTHER = "admin_alarm_other"
# What happened, what it means and what to do, a line each; ``store.alert_kinds`` says when they are raised.
ALARMS = tuple(
    f"admin_alarm_{kind}"
    for kind in (
        *("whatsapp_logged_out", "whatsapp_replaced", "whatsapp_banned", "whatsapp_outdated"),
        *("whatsapp_unusable", "whatsapp_restricted", "offline", "process_down", "process_crashed"),
        *("process_stuck", "unanswered", "dead_letters", "database", "messages_waited", "disk", "budget"),
        *("paid_without_invoice", "backup", "memory", "midtrans", "payment", "starsender"),
        *("model_misconfigured", "whatsapp_business_answers", "other"),
    )
)


def sentence_for(kind: str) -> str:
    """The sentence of this kind of alert; of none that is known: the one for all others."""
    name = f"admin_alarm_{kind}"
    return name if name in ALARMS else OTHER


def title(text: str) -> str:
    """What an alert's message is called: the words in bold, or its first line."""
    found = _TITLE.search(text)
    return found[1] if found else text.split("\n", 1)[0]


def title_of(wording: Wording, sentence: str) -> str:
    """The name of an alert that nobody is told of at the moment."""
    return title(wording.say(sentence, rincian="-"))
