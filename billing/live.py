"""The price list and the shipping costs as their files are now: read again when a file changed."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from billing.catalogue import FILE_NAMES, CatalogueItem, find_catalogue, read_catalogue
from billing.shipping import FILE_NAME, Rate, read_rates

log = structlog.get_logger(__name__)

# What a file system says of a file: when one of these changed, its content may have.
_Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Goods:
    """What is sold and what sending costs, of one moment."""

    items: tuple[CatalogueItem, ...] = ()
    rates: tuple[Rate, ...] = ()


@dataclass(kw_only=True)
class LiveGoods:
    """Looks at the files' times at each use, and reads them on a thread when they changed."""

    data_dir: Path
    _goods: Goods = field(default_factory=Goods, init=False)
    _stamp: _Stamp | None = field(default=None, init=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def now(self) -> Goods:
        """The current goods; those of before while the list cannot be read (an editor is saving it)."""
        if self._looked() == self._stamp:
            return self._goods
        async with self._reading:
            stamp = self._looked()
            if stamp != self._stamp:
                self._goods = await asyncio.to_thread(self._read)
                self._stamp = stamp
        return self._goods

    def _looked(self) -> _Stamp:
        found = []
        try:
            for entry in os.scandir(self.data_dir):
                if entry.name.lower() in (*FILE_NAMES, FILE_NAME):
                    status = entry.stat()
                    found.append((entry.name, status.st_mtime_ns, status.st_size, status.st_ino))
        except OSError:
            # The folder is gone, or a file between the list and the look: not the state that was read.
            return ()
        return tuple(sorted(found))

    def _read(self) -> Goods:
        try:
            path, _ = find_catalogue(self.data_dir)
        except OSError as exc:
            log.warning("catalogue_not_read", reason=str(exc))
            return self._goods
        rates = read_rates(self.data_dir).rates
        if path is None:
            return Goods(rates=rates)
        reading = read_catalogue(path)
        if not reading.items and reading.problems:
            log.warning("catalogue_not_read", reason=reading.problems[0])
            return Goods(items=self._goods.items, rates=rates)
        return Goods(items=reading.items, rates=rates)
