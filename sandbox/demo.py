"""`python -m sandbox.demo`: chat in the terminal with the sample shop, without key, phone or server.

Everything inside is the product; only the model is a stand-in on this machine. Knowledge is read first, which
is quick from the second time on because `var/demo` is kept. Standard input and output belong to the chat, so
questions can be piped in and answers out; what the demo itself says goes to standard error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
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
# Where the demo differs from an ordinary start; a variable in the environment wins over these.
DEMO_DEFAULTS = {
    # People watch: an answer at once shows more than the wait for a customer's second thought.
    "BURST_QUIET_S": "0",
    "BURST_QUESTION_S": "0",
    # Piped questions come faster than any customer types; that is no loop here.
    "LOOP_ANSWERS": "0",
    # Log lines between the bubbles would be in the way.
    "LOG_LEVEL": "WARNING",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and give the exit code of the chat; 130 after Ctrl-C before the chat began."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--fresh", action="store_true", help="forget the chats and knowledge of earlier demos"
    )
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    if options.fresh:
        shutil.rmtree(STATE_DIR, ignore_errors=True)
    # The state holds chats: nobody else on this machine reads them.
    STATE_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with OpenAIStandInProcess() as model:
            environment = environment_for(model.base_url, os.environ)
            code = read_knowledge(environment)
            if code:
                return code
            print(*EXPLANATION, sep="\n", file=sys.stderr, flush=True)
            return chat([sys.executable, "run_bot.py", "--channel", "terminal"], environment)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def environment_for(base_url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the product's processes: `environ` with the outside world cut off.

    Every setting is given, so that nothing comes from the user's `.env`: a demo that wrote to the shop's
    own database or asked the real model would be a bad surprise.
    """
    settings = {key: environ.get(key, DEMO_DEFAULTS.get(key, default)) for key, default in keys()}
    settings |= {
        "OPENAI_API_KEY": "sk-sandbox",
        "OPENAI_BASE_URL": base_url,
        "DATABASE_URL": "",
        "STATE_DIR": str(STATE_DIR),
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
