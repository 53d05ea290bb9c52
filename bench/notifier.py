"""Sends notifications from a process of its own: ``python -m bench.notifier``.

A JSON line in (``{"port", "key", "count", "in_flight"}`` for as fast as they are taken, or ``"per_s"`` for a
steady rate, or ``"bodies"`` to send just these), a JSON line out: seconds in all, milliseconds of each, and
how many were not answered 200. HTTP is spoken by hand, so that the sender is not what is measured.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from billing.signature import signature_of

_NUMBERS = count()


def notification(key: str, *, order_id: str | None = None) -> bytes:
    """A signed notification of a settled payment, of the size that Midtrans sends."""
    order_id = order_id or f"B{secrets.token_hex(4).upper()}{next(_NUMBERS)}-1"
    body = {
        "transaction_time": "2026-10-05 14:02:11",
        "transaction_status": "settlement",
        "transaction_id": secrets.token_hex(16),
        "status_message": "midtrans payment notification",
        "status_code": "200",
        "signature_key": signature_of(order_id, "200", "770000.00", key),
        "settlement_time": "2026-10-05 14:02:31",
        "payment_type": "qris",
        "order_id": order_id,
        "merchant_id": "G000000000",
        "issuer": "gopay",
        "gross_amount": "770000.00",
        "fraud_status": "accept",
        "currency": "IDR",
        "acquirer": "gopay",
    }
    return json.dumps(body).encode()


def request(body: bytes) -> bytes:
    """The bytes of one request."""
    head = (
        "POST /midtrans/notification HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Sender:
    def __init__(self, port: int) -> None:
        self._port = port
        self.ms: list[float] = []
        self.refused = 0
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, raw: bytes) -> None:
        """One request and its whole answer, on a connection that is kept."""
        began = time.perf_counter()
        reader, writer = self._idle.pop() if self._idle else await self._connect()
        writer.write(raw)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        await reader.readexactly(length)
        self._idle.append((reader, writer))
        self.ms.append((time.perf_counter() - began) * 1000)
        self.refused += not head.startswith(b"HTTP/1.1 200")

    async def flood(self, requests: Iterator[bytes], *, in_flight: int) -> None:
        """All of them, so many at a time."""

        async def one_after_the_other() -> None:
            for raw in requests:
                await self.send(raw)

        await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))

    async def trickle(self, requests: Iterator[bytes], *, per_s: float) -> None:
        """At a steady rate, whatever the answers do."""
        began, tasks = time.perf_counter(), []
        for number, raw in enumerate(requests):
            wait_s = began + number / per_s - time.perf_counter()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            tasks.append(asyncio.create_task(self.send(raw)))
        await asyncio.gather(*tasks)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


async def _work(command: dict[str, Any]) -> dict[str, Any]:
    bodies = command.get("bodies")
    raw = (
        [body.encode() for body in bodies]
        if bodies is not None
        else [notification(command["key"]) for _ in range(command["count"])]
    )
    requests = [request(body) for body in raw]
    sender = _Sender(command["port"])
    began = time.perf_counter()
    if "per_s" in command:
        await sender.trickle(iter(requests), per_s=command["per_s"])
    else:
        await sender.flood(iter(requests), in_flight=command["in_flight"])
    took_s = time.perf_counter() - began
    sender.close()
    return {"took_s": took_s, "ms": sender.ms, "refused": sender.refused}


async def _serve() -> None:
    print(json.dumps({"ready": True}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await _work(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
