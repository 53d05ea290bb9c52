"""Finds the Weaviate server's program, or builds it once into the user's cache.

There is no package of it: where no container runs, Go's own installer makes the program from the module
proxy, in about seven minutes. Its module and build caches take 3.5 GB and are removed afterwards.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "1.38.11"
PROGRAM = "weaviate-server"
_PACKAGE = f"github.com/weaviate/weaviate/cmd/{PROGRAM}@v{VERSION}"
# What the finished program and its two caches need, with some room.
_NEEDED_BYTES = 5 * 1024**3
_TELL_EVERY_S = 15.0

Say = Callable[[str], None]


class WeaviateMissing(Exception):
    """No Weaviate server can be had on this machine; the text says what would help."""


def say_on_stderr(text: str) -> None:
    print(f"weaviate: {text}", file=sys.stderr, flush=True)


def cache_folder() -> Path:
    """Where the built program is kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "balas" / "weaviate" / VERSION


def find_or_build(say: Say = say_on_stderr) -> Path:
    """The server's program: the installed one, the one built before, or built now.

    Processes that ask at the same time build once and wait for each other. Raises ``WeaviateMissing``.
    """
    if (installed := shutil.which(PROGRAM)) is not None:
        return Path(installed)
    built = cache_folder() / PROGRAM
    if built.exists():
        return built
    if shutil.which("go") is None:
        raise WeaviateMissing(f"Weaviate is not installed: there is neither {PROGRAM} nor Go to build it")
    built.parent.mkdir(parents=True, exist_ok=True)
    with _alone(built.parent / "build.lock", say):
        if not built.exists():
            _build(built, say)
    return built


@contextmanager
def _alone(lock: Path, say: Say) -> Iterator[None]:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process builds the server; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(target: Path, say: Say) -> None:
    free = shutil.disk_usage(target.parent).free
    if free < _NEEDED_BYTES:
        raise WeaviateMissing(
            f"Weaviate is not installed, and building it needs 5 GB free in {target.parent}"
        )
    say(f"building the server {VERSION} with Go, once, into {target} (about 7 minutes)")
    # Beside the target, so that the last step is a rename within one file system.
    folder = Path(tempfile.mkdtemp(prefix="build-", dir=target.parent))
    try:
        _install(folder, say)
        (folder / "bin" / PROGRAM).rename(target)
    finally:
        # The build's caches are of no further use to anybody.
        shutil.rmtree(folder, ignore_errors=True)
    say("built")


def _install(folder: Path, say: Say) -> None:
    log = folder / "go.log"
    environment = {
        **os.environ,
        "GOBIN": str(folder / "bin"),
        "GOMODCACHE": str(folder / "modules"),
        "GOCACHE": str(folder / "cache"),
        # Otherwise the modules are read-only and could not be removed.
        "GOFLAGS": "-modcacherw",
        "CGO_ENABLED": "0",
    }
    started = time.monotonic()
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["nice", "go", "install", "-v", "-ldflags=-s -w", _PACKAGE],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        ) as go,
    ):
        try:
            while True:
                try:
                    go.wait(_TELL_EVERY_S)
                    break
                except subprocess.TimeoutExpired:
                    say(f"  {time.monotonic() - started:.0f} s, {_packages_built(log)} packages compiled")
        except BaseException:
            go.kill()
            raise
    if go.returncode != 0:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        raise WeaviateMissing(f"Weaviate could not be built with Go:\n{last}")


def _packages_built(log: Path) -> int:
    lines = log.read_text(errors="replace").splitlines()
    return sum(not line.startswith("go: ") for line in lines)


if __name__ == "__main__":
    # Before the tests, which would otherwise run beside the build; without a server they say so themselves.
    try:
        find_or_build()
    except WeaviateMissing as exc:
        say_on_stderr(str(exc))
