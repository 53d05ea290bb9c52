"""What supervisord tells its listeners, read from the protocol's lines. Pure.

Source: Supervisor's documentation, "Events": a line of ``key:value`` words, then a payload of ``len`` bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

READY = b"READY\n"
OK = b"RESULT 2\nOK"


class Became(StrEnum):
    """What became of a program; other states of Supervisor's are on the way to one of these."""

    RUNNING = "PROCESS_STATE_RUNNING"  # it has been up for its startsecs
    STARTING = "PROCESS_STATE_STARTING"
    EXITED = "PROCESS_STATE_EXITED"  # it ended by itself
    FATAL = "PROCESS_STATE_FATAL"  # it could not be started, and Supervisor gave it up
    STOPPED = "PROCESS_STATE_STOPPED"  # a person stopped it


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A program's change of state."""

    program: str
    became: Became
    expected: bool = True  # EXITED: whether the exit code is one that leaves it down


def length_of_payload(header: str) -> int:
    """How many bytes follow the header's line. Raises ``ValueError`` for what is no header."""
    return int(_words(header)["len"])


def change(header: str, payload: str) -> Change | None:
    """What the event says; None when it is none that matters here."""
    try:
        became = Became(_words(header).get("eventname", ""))
    except ValueError:
        return None
    words = _words(payload)
    return Change(
        program=words["processname"],
        became=became,
        expected=words.get("expected", "1") == "1",
    )


def _words(line: str) -> dict[str, str]:
    return dict(word.split(":", 1) for word in line.split() if ":" in word)


_EXITED = re.compile(r"^.*(?:exited|terminated): (\S+) \((?:exit status (\d+)|terminated by (\w+)).*$", re.M)


@dataclass(frozen=True, kw_only=True, slots=True)
class Exit:
    """How a program ended, by supervisord's own log."""

    line: str  # with its time, so that two ends of the same kind differ
    code: str  # ``"75"``, or ``"SIGKILL"``


def last_exit(log: str, program: str) -> Exit | None:
    """The program's last end that the log tells of; None when it tells of none."""
    found = [match for match in _EXITED.finditer(log) if match[1] == program]
    return Exit(line=found[-1][0], code=found[-1][2] or found[-1][3]) if found else None
