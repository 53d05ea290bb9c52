"""A copy of the installed neonize that talks to the server on loopback.

whatsmeow pins its server's address and the root key of that server's certificate inside the shared library.
The copy has both replaced, by strings of the same length; everything else of the package is linked, and the
installed package stays as it is. One copy serves one port, so the ports come from a small pool and a port is
used by one test at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.whatsapp.certificate import sandbox_root
from sandbox.whatsapp.protos import neonize_folder

# What whatsmeow pins: socket/constants.go (URL) and handshake.go (WACertPubKey).
PINNED_URL = b"wss://web.whatsapp.com/ws/chat"
PINNED_ROOT = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")
# One copy is about 20 MB, so the pool bounds what the cache grows to. Below the range that systems give to
# outgoing connections, of five digits because the pinned address leaves room for five.
POOL = range(24_201, 24_213)
_LIBRARY_SUFFIXES = {".so", ".dylib", ".dll"}
# Raised when copies are laid out differently, so that older ones are not used.
_LAYOUT = 1


class LibraryUnknown(RuntimeError):
    """This neonize pins other things than the known ones; look at what whatsmeow changed and adapt this
    module.
    """


class NoPortFree(RuntimeError):
    """Every port of the pool stayed in use; something did not give its port back."""


def url(port: int) -> str:
    """The address that a copy for this port dials; as long as the pinned one."""
    made = f"ws://127.0.0.1:{port}/./ws/chat"
    if len(made) != len(PINNED_URL):
        raise ValueError(f"a port needs five digits, not {port}")
    return made


def patched(library: bytes, port: int) -> bytes:
    """The library with both strings replaced. Raises LibraryUnknown unless each occurs exactly once."""
    for name, pinned, ours in (
        ("address of WhatsApp", PINNED_URL, url(port).encode()),
        ("root key of WhatsApp", PINNED_ROOT, sandbox_root().public),
    ):
        count = library.count(pinned)
        if count != 1:
            raise LibraryUnknown(f"the {name} occurs {count} times in neonize's library, not once")
        library = library.replace(pinned, ours)
    return library


def cache_folder() -> Path:
    """Where copies and locks live: the user's cache, as the XDG base directories have it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "balas" / "whatsapp"


def prepare(port: int) -> Path:
    """The folder to put first on the path: it holds the copy for this port, made now if it is not there.

    Safe when several processes prepare the same port: each builds its own and the first rename wins.
    """
    installed = neonize_folder()
    library = _library_of(installed)
    stamp = library.stat()
    # Links lead into one installation, so each installation has copies of its own.
    source = f"{_LAYOUT}:{library}:{stamp.st_size}:{stamp.st_mtime_ns}:{sandbox_root().public.hex()}"
    place = cache_folder() / hashlib.sha256(source.encode()).hexdigest()[:12] / str(port)
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(dir=place.parent, prefix=f"{port}-"))
    try:
        _build(building / "neonize", installed, library, port)
        with contextlib.suppress(FileExistsError, OSError):
            building.rename(place)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    if not place.is_dir():
        raise OSError(f"the copy of neonize could not be put at {place}")
    return place


def _library_of(package: Path) -> Path:
    found = [path for path in package.iterdir() if path.suffix in _LIBRARY_SUFFIXES]
    if len(found) != 1:
        raise LibraryUnknown(f"one shared library was expected in {package}, {len(found)} are there")
    return found[0]


def _build(copy: Path, installed: Path, library: Path, port: int) -> None:
    copy.mkdir()
    for path in installed.iterdir():
        if path.name not in {library.name, "__pycache__"}:
            (copy / path.name).symlink_to(path)
    (copy / library.name).write_bytes(patched(library.read_bytes(), port))


def environment(port: int) -> dict[str, str]:
    """What a process needs in its environment for its neonize to reach the server on this port.

    Go reads only the environment that a process was started with, so this is given to it, never set inside.
    """
    inherited = os.environ.get("PYTHONPATH")
    path = str(prepare(port))
    return {
        "PYTHONPATH": f"{path}{os.pathsep}{inherited}" if inherited else path,
        # A proxy that is meant for the outside must not see loopback.
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        # Media comes by https from the server's own authority. The program then trusts nobody else, which is
        # right for one that must not leave loopback.
        "SSL_CERT_FILE": str(authority_file(port)),
    }


def authority_file(port: int) -> Path:
    """Where the server on this port puts its authority's certificate."""
    return cache_folder() / f"{port}.pem"


@contextlib.contextmanager
def claimed_port(port: int | None = None, *, patience_s: float = 60.0) -> Iterator[int]:
    """A port of the pool (or the given one) that nobody else uses meanwhile, in this or another process."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience_s
    while True:
        for candidate in POOL if port is None else (port,):
            descriptor = _lock(folder / f"{candidate}.lock")
            if descriptor is None:
                continue
            if not _is_free(candidate):
                os.close(descriptor)
                continue
            try:
                yield candidate
            finally:
                os.close(descriptor)
            return
        if time.monotonic() > deadline:
            raise NoPortFree(f"no port of {POOL.start}-{POOL.stop - 1} came free within {patience_s:g} s")
        time.sleep(0.1)


def _lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _is_free(port: int) -> bool:
    """Whether anything else listens there, such as a client's own outgoing connection."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
