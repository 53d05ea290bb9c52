"""The words of an alert for the owner. Pure but for the clock of the pairing code."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from config.alarms import sentence_for, title
from config.spans import span_ms
from config.wording import Wording
from store.alert_kinds import OTHER, kind_of, told_as
from store.alerts import News, Telling
from supervisor.checks import OURS

# A program's note is quoted, not read out.
_MOST_NOTED_CHARS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class WayIn:
    """How the owner logs in again without a terminal; what is None there is not."""

    typed: str | None = None  # the code to type into the shop's phone
    link: str | None = None  # the page with the QR code


def sentence_of(telling: Telling, *, state: str | None) -> str:
    """The name of the alert's sentence; ``state`` is the channel's, which tells its troubles apart."""
    return sentence_of_kind(kind_of(telling.fingerprint).name, state=state)


def sentence_of_kind(kind: str, *, state: str | None) -> str:
    """The same for a kind of alert."""
    return sentence_for(told_as(kind, state=state))


def detail_of(wording: Wording, fingerprint: str, message: str) -> str:
    """What the owner reads besides the sentence.

    The watcher's own findings are in his words. Others noted the trouble in the words of a program, which are
    for the log; only of what nobody wrote a sentence for they are all there is, and are quoted as such.
    """
    kind = kind_of(fingerprint)
    if kind.name in OURS and message.strip():
        return message.strip()
    if kind is OTHER and (noted := without_marks(" ".join(message.split()))):
        return wording.say(
            "admin_rincian_lain", isi=textwrap.shorten(noted, _MOST_NOTED_CHARS, placeholder="…")
        )
    return wording.say("admin_rincian_log")


def needs_login(telling: Telling, *, state: str | None) -> bool:
    """Whether the owner can end it with a code."""
    return telling.news is News.WRONG and sentence_of(telling, state=state).endswith("_logged_out")


def compose(wording: Wording, telling: Telling, *, state: str | None, way_in: WayIn | None = None) -> str:
    """The whole message. ``way_in`` for a log-out: None when there is nothing to log in to."""
    name = sentence_of(telling, state=state)
    detail = detail_of(wording, telling.fingerprint, telling.message)
    text = wording.say(name, rincian=detail)
    if telling.news is News.WRONG:
        return "\n".join([text, *(_way_in(wording, way_in) if way_in is not None else ())])
    called = title(text)
    lasted = span_ms(telling.lasted_ms)
    if telling.news is News.OVER:
        return wording.say("admin_alarm_pulih", judul=called, lama=lasted)
    return wording.say("admin_alarm_lewat", judul=called, lama=lasted, rincian=detail)


def _way_in(wording: Wording, way_in: WayIn) -> list[str]:
    lines = []
    if way_in.typed is not None:
        lines.append(wording.say("admin_alarm_kode", kode=way_in.typed))
    if way_in.link is not None:
        lines.append(wording.say("admin_alarm_tautan", tautan=way_in.link))
    return lines or [wording.say("admin_alarm_pair")]


def without_marks(text: str) -> str:
    """WhatsApp's marks taken out, for channels that would show the stars themselves."""
    lines = [
        line.strip("_") if line.startswith("_") and line.endswith("_") else line for line in text.split("\n")
    ]
    return re.sub(r"\*([^*\n]+)\*", r"\1", "\n".join(lines))
