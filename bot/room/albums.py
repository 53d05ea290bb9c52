"""Albums: pictures that an admin sends in a row are one answer, though not each of them quotes the notice.

The first does, or what announces the album to other devices, or each.

Which one was passed on last is known here and nowhere else: after a restart within these seconds the rest of
an album is talk in the room.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.channel import Media
from bot.room.command import Request
from store.handoffs import Notice

# From one picture to the next, as they are recorded: a phone sends each when it is uploaded.
NEXT_WITHIN_MS = 30_000
# A document that quotes nothing is a file for the shop's folder, and a voice note may be meant for anybody.
_PICTURES = frozenset((Media.IMAGE.value, Media.VIDEO.value))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Passed:
    """A file that went to a customer."""

    notice: Notice
    at_ms: int


class Albums:
    """What each admin passed on last, and whether his next file goes on with it."""

    def __init__(self) -> None:
        self._last: dict[str, _Passed] = {}

    def begins(self, request: Request) -> None:
        """What is behind this notice is for whom it is about, and so is what comes next."""
        if request.notice is not None:
            passed = _Passed(notice=request.notice, at_ms=request.row.recorded_ms)
            self._last[request.message.sender] = passed

    def end(self, request: Request) -> None:
        """What comes next from him is for nobody."""
        self._last.pop(request.message.sender, None)

    def notice_of(self, request: Request) -> Notice | None:
        """What a picture is about that quotes nothing: what the one right before it was about."""
        if request.message.kind not in _PICTURES or request.message.file is None:
            return None
        return self._recent(request)

    def goes_on(self, request: Request) -> bool:
        """Whether this file belongs to the answer that its sender is giving to this notice."""
        last = self._recent(request)
        return last is not None and request.message.file is not None and last == request.notice

    def _recent(self, request: Request) -> Notice | None:
        last = self._last.get(request.message.sender)
        if last is None or not 0 <= request.row.recorded_ms - last.at_ms <= NEXT_WITHIN_MS:
            return None
        return last.notice
