"""What the stand-in was asked: counts by endpoint and status, and bodies on request."""

from __future__ import annotations

import json
from collections import Counter, deque
from pathlib import Path
from typing import IO, Any

_BODIES_KEPT = 1000


class RequestLog:
    """Counts of requests by endpoint and status, and, when asked for, their bodies."""

    def __init__(self, record_file: Path | None = None) -> None:
        self._file: IO[str] | None = record_file.open("a", encoding="utf-8") if record_file else None
        self.recording = False
        self.reset()

    def reset(self) -> None:
        """Forget the counts and the bodies; requests in flight stay counted as such."""
        self._endpoints: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._bodies: deque[dict[str, Any]] = deque(maxlen=_BODIES_KEPT)
        self._in_flight = getattr(self, "_in_flight", 0)
        self._most_in_flight = self._in_flight

    def started(self, endpoint: str) -> None:
        """A request has come in."""
        self._endpoints[endpoint] += 1
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)

    def finished(self, status: str) -> None:
        """A request has been answered, or lost ("reset", "gone")."""
        self._in_flight -= 1
        self._statuses[status] += 1

    def record(self, endpoint: str, body: dict[str, Any]) -> None:
        """Keep a body in memory when recording is on, and in the file when there is one."""
        entry = {"endpoint": endpoint, "body": body}
        if self.recording:
            self._bodies.append(entry)
        if self._file:
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def as_json(self) -> dict[str, Any]:
        """The state for `GET /_requests`; the file is complete when this has been read."""
        if self._file:
            self._file.flush()
        return {
            "total": self._endpoints.total(),
            "by_endpoint": dict(self._endpoints),
            "by_status": dict(self._statuses),
            "in_flight": self._in_flight,
            "max_in_flight": self._most_in_flight,
            "recording": self.recording,
            "bodies": list(self._bodies),
        }

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
