"""`python -m sandbox.demo`: the sample shop to chat with, without key, phone or server.

Simulated phones on a web page; with questions piped in, or with `--terminal`, a chat in the terminal. There
standard input and output belong to the chat, and what the demo itself says goes to standard error.

Everything inside is the product; only the model and WhatsApp's server are stand-ins on this machine.
Knowledge is read first, which is quick from the second time on because `var/demo` is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from config.settings import keys
from sandbox.openai.process import OpenAIStandInProcess

PROJECT = Path(__file__).resolve().parents[1]
STATE_DIR = PROJECT / "var" / "demo"
# What the bot gets to finish the answers under way after a stop, before it is killed.
STOP_S = 15.0

EXPLANATION = (
    "Demo: toko contoh, dijawab model tiruan di komputer ini (bukan AI sungguhan). Selesai: Ctrl-D.",
    "Demo: a sample shop, answered by a stand-in model on this machine (no real AI). To end: Ctrl-D.",
)
PAGE_EXPLANATION = (
    "Demo: WhatsApp, AI dan Midtrans-nya tiruan di komputer ini, botnya sungguhan. HP-nya mulai kosong.",
    "Demo: WhatsApp, the model and Midtrans are stand-ins here, the bot is real. Phones start empty.",
)
# Where the demo differs from an ordinary start; a variable in the environment wins over these.
DEMO_DEFAULTS = {
    # People watch: an answer at once shows more than the wait for a customer's second thought.
    "BURST_QUIET_S": "0",
    # Without the owner's word nobody would be answered after the code was scanned.
    "BALAS_MODE": "on",
    "BURST_QUESTION_S": "0",
    # Piped questions come faster than any customer types; that is no loop here.
    "LOOP_ANSWERS": "0",
    # Log lines between the bubbles would be in the way.
    "LOG_LEVEL": "WARNING",
}
# Where the phones on the page differ from that.
PAGE_DEFAULTS = DEMO_DEFAULTS | {
    # People type by hand here, and often two bubbles for one thought.
    "BURST_QUIET_S": "1",
    "BURST_QUESTION_S": "0.5",
    # The owner who tries to write himself sees the bot come back.
    "HUMAN_PAUSE_S": "60",
    # A shop's own bot may run on this machine as well.
    "HEALTH_PORT": "0",
    # No network here looks at numbers that send fast, and after a payment several messages go out at once.
    "PACE_S": "0.5",
    # The log is a file.
    "LOG_LEVEL": "INFO",
}
# The stand-in answers at once; this makes it as slow as a quick model, so that one sees the shop typing.
PAGE_LATENCY_MS_PER_TOKEN = 15.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and give the exit code of the chat; 130 after Ctrl-C before the chat began."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--fresh", action="store_true", help="forget the chats and knowledge of earlier demos"
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--page", action="store_true", help="phones on a web page, whatever standard input is")
    way.add_argument("--terminal", action="store_true", help="chat in the terminal")
    parser.add_argument(
        "--port",
        type=port_number,
        default=os.environ.get("PHONE_PORT") or "0",
        help="where the page is, also PHONE_PORT (default: any free port)",
    )
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    if options.fresh:
        shutil.rmtree(STATE_DIR, ignore_errors=True)
    # The state holds chats: nobody else on this machine reads them.
    # Each by itself: `parents` would make the one above, where the shop's own state will be, for everybody.
    for folder in (STATE_DIR.parent, STATE_DIR):
        folder.mkdir(exist_ok=True, mode=0o700)
    try:
        if options.terminal or (is_piped(sys.stdin.fileno()) and not options.page):
            return in_terminal()
        return on_page(options.port)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def port_number(text: str) -> int:
    """A port, 0 for any free one. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port (0 to 65535)")
    return int(text)


def is_piped(descriptor: int) -> bool:
    """Whether questions come in by a pipe or from a file, as opposed to a terminal or nothing at all."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def in_terminal() -> int:
    """Chat on standard input and output."""
    with OpenAIStandInProcess() as model, with_memory(os.environ) as environ:
        environment = environment_for(model.base_url, environ)
        code = read_knowledge(environment)
        if code:
            return code
        print(*EXPLANATION, sep="\n", file=sys.stderr, flush=True)
        return chat([sys.executable, "run_bot.py", "--channel", "terminal"], environment)


def on_page(port: int) -> int:
    """Show the phones until a signal."""
    # Only here: the terminal needs none of it.
    from sandbox.phone.show import show
    from store.ownership import AlreadyOwned

    with (
        OpenAIStandInProcess(latency_ms_per_token=PAGE_LATENCY_MS_PER_TOKEN) as model,
        with_memory(os.environ) as environ,
    ):
        environment = environment_for(model.base_url, environ, PAGE_DEFAULTS)
        code = read_knowledge(environment)
        if code:
            return code
        print(*PAGE_EXPLANATION, sep="\n", file=sys.stderr, flush=True)
        try:
            return asyncio.run(show(environment, port=port))
        except (AlreadyOwned, OSError) as exc:
            print(f"The demo cannot start: {exc}", file=sys.stderr)
            return 1


@contextlib.contextmanager
def with_memory(environ: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """`environ`, and with MEMORY=weaviate a real server to go with it, unless WEAVIATE_URL names one."""
    if environ.get("MEMORY") != "weaviate" or environ.get("WEAVIATE_URL"):
        yield environ
        return
    # Only here: hardly any demo needs it.
    from sandbox.weaviate.binary import find_or_build, say_on_stderr
    from sandbox.weaviate.kept import KeptNode

    with KeptNode(find_or_build(), say_on_stderr) as kept:
        yield {**environ, **kept.node.settings}


def environment_for(
    base_url: str, environ: Mapping[str, str], defaults: Mapping[str, str] = DEMO_DEFAULTS
) -> dict[str, str]:
    """The environment of the product's processes: `environ` with the outside world cut off.

    Every setting is given, so that nothing comes from the user's `.env`: a demo that wrote to the shop's
    own database or asked the real model would be a bad surprise.
    """
    settings = {key: environ.get(key, defaults.get(key, default)) for key, default in keys()}
    settings |= {
        "OPENAI_API_KEY": "sk-sandbox",
        "OPENAI_BASE_URL": base_url,
        "DATABASE_URL": "",
        "STATE_DIR": str(STATE_DIR),
        # The page has stand-ins of these; in the terminal one pays by bank transfer.
        "MIDTRANS_SERVER_KEY": "",
        "MIDTRANS_SNAP_URL": "",
        "MIDTRANS_API_URL": "",
        "STARSENDER_KEY": "",
        "PUBLIC_URL": "",
    }
    # A proxy that is set for the outside world can't reach the stand-in on this machine.
    direct = ",".join(
        filter(None, (environ.get("NO_PROXY") or environ.get("no_proxy"), "127.0.0.1,localhost"))
    )
    return {**environ, **settings, "NO_PROXY": direct, "no_proxy": direct}


def read_knowledge(environment: Mapping[str, str]) -> int:
    """Read the knowledge folder into the demo's state, showing its progress."""
    command = [sys.executable, "-m", "rag.ingest", environment["DATA_DIR"]]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
    )
    return done.returncode


def chat(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the chat on our own standard input and output until it ends, and give its exit code.

    Ctrl-C in a terminal goes to every process there; it is the chat's to answer, and we wait for it. When
    we are told to stop, so is the chat.
    """
    earlier = signal.signal(signal.SIGINT, _leave_to_the_chat)
    child = subprocess.Popen(command, cwd=PROJECT, env=environment)
    try:
        code = child.wait()
        return code if code >= 0 else 128 - code
    finally:
        signal.signal(signal.SIGINT, earlier)
        _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _leave_to_the_chat(number: int, frame: FrameType | None) -> None:
    """A handler rather than SIG_IGN, which the chat would inherit."""


def _leave(number: int, frame: FrameType | None) -> None:
    """End by an exception, so that every child is stopped on the way out."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
