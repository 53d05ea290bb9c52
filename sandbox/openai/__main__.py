"""`python -m sandbox.openai`: the stand-in by itself, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from sandbox.openai.server import DEFAULT_MODELS, NotLoopbackError, OpenAIStandIn, require_loopback


def main() -> int:
    """Parse the command line and serve; 2 means that it was wrong."""
    arguments = _parser().parse_args()
    try:
        require_loopback(arguments.host)
    except NotLoopbackError as error:
        print(f"sandbox openai: {error}", file=sys.stderr)
        return 2
    asyncio.run(_serve(arguments))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.openai", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument("--ready-file", type=Path, help="written with the base URL once it listens")
    parser.add_argument(
        "--models", default=",".join(DEFAULT_MODELS), help="comma-separated (default %(default)s)"
    )
    parser.add_argument("--latency-ms", type=float, default=0.0, help="delay per token of an answer")
    parser.add_argument("--record", type=Path, metavar="FILE", help="append every request body as JSON lines")
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    return parser


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if arguments.stop_with_stdin:
        loop.add_reader(sys.stdin.fileno(), _stop_at_end, stop)
    server = OpenAIStandIn(
        host=arguments.host,
        port=arguments.port,
        models=[name for name in arguments.models.split(",") if name],
        latency_ms_per_token=arguments.latency_ms,
        record_file=arguments.record,
    )
    async with server:
        if arguments.ready_file:
            _write_whole(arguments.ready_file, server.base_url)
        print(f"sandbox openai ready {server.base_url}", flush=True)
        await stop.wait()


def _stop_at_end(stop: asyncio.Event) -> None:
    """Standard input is readable: bytes are thrown away, its end is the sign to stop."""
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


def _write_whole(path: Path, text: str) -> None:
    """A reader of the file sees all of it or nothing."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(f"{text}\n", encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(main())
