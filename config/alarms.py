"""The owner's words of an alert: the sentence of ``kalimat.toml`` that tells it, and its name in a list."""

from __future__ import annotations

import re

from config.wording import ALARMS, Wording

_TITLE = re.compile(r"\*(.+?)\*")
OTHER = "admin_alarm_other"


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
