"""Debian in a folder, which the installation is tested in: entered by chroot, or booted with its own systemd.

Each root is made by debootstrap once and kept in the user's cache.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.openai.process import OpenAIStandInProcess
from sandbox.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]
SUITES = {"12": "bookworm", "13": "trixie"}
CACHE = Path.home() / ".cache" / "balas" / "roots"
MINUTES_S = 60.0
# The network's peculiarities of this machine are the root's as well.
_OF_THE_MACHINE = ("/etc/pip.conf", "/etc/resolv.conf", "/etc/hosts")
_PACKAGES = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container"}

Done = subprocess.CompletedProcess[str]


@dataclass(kw_only=True)
class Root(ABC):
    """One Debian in a folder, with the project at /srv/balas and the answers to the installer's questions."""

    path: Path
    settings: dict[str, str]

    @abstractmethod
    def _entered(self) -> list[str]:
        """The command that runs another one inside."""

    def run(self, *command: str, within_s: float = 15 * MINUTES_S, **environment: str) -> Done:
        kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        kept.pop("PIP_FIND_LINKS", None)
        if "PIP_CERT" in kept:
            kept["PIP_CERT"] = "/srv/ca.crt"
        clean = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        return subprocess.run(
            [*self._entered(), *command],
            env={**clean, **kept, "PIP_CACHE_DIR": "/srv/pip-cache", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )

    def install(self, source: str = "/srv/balas", **changed: str) -> Done:
        return self.run("bash", f"{source}/supervisor/install.sh", **{**self.settings, **changed})

    def break_a_copy(self, *, new_schema: bool = False) -> str:
        """A version whose payment process cannot start, and which has changed the state by then."""
        broken = self.path / "srv" / "rusak"
        shutil.rmtree(broken, ignore_errors=True)
        shutil.copytree(self.path / "srv" / "balas", broken)
        if new_schema:
            versions = broken / "store" / "migrations" / "versions"
            last = max(path.stem for path in versions.glob("[0-9]*.py"))
            revision = re.search(r"^revision = (.+)$", (versions / f"{last}.py").read_text(), re.MULTILINE)
            assert revision is not None
            (versions / "9999_rusak.py").write_text(
                f"revision = '9999'\ndown_revision = {revision[1]}\ndef upgrade() -> None: ...\n"
            )
        (broken / "run_webhooks.py").write_text(
            "import pathlib\npathlib.Path('/var/lib/balas/state/rusak').touch()\nraise SystemExit('rusak')\n"
        )
        return "/srv/rusak"

    def get(self, port_key: str, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.settings[port_key]}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as exc:
            return exc.code, exc.read().decode()

    def mode(self, path: str) -> tuple[str, int]:
        found = (self.path / path.lstrip("/")).lstat()
        names = (self.path / "etc" / "passwd").read_text().splitlines()
        owner = next(line.split(":")[0] for line in names if line.split(":")[2] == str(found.st_uid))
        return owner, stat.S_IMODE(found.st_mode)

    @property
    def release(self) -> str:
        return os.readlink(self.path / "opt" / "balas" / "current")

    def supervisord(self) -> int:
        """Its process id, as seen inside."""
        return int((self.path / "var/lib/balas/state/supervisord.pid").read_text())


class EnteredRoot(Root):
    """Without systemd: the installer starts supervisord by itself."""

    def _entered(self) -> list[str]:
        return ["chroot", str(self.path)]

    def stop(self) -> None:
        """End what the installation left running; it is ours."""
        try:
            pid = self.supervisord()
            os.kill(pid, signal.SIGTERM)
        except (OSError, ValueError):
            return
        deadline = time.monotonic() + 2 * MINUTES_S
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.2)


@dataclass(kw_only=True)
class BootedRoot(Root):
    """A small machine of its own: systemd is its first process; only the network is this machine's."""

    _nspawn: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _first: int = field(default=0, init=False)  # the process id of its systemd, as seen from here

    def _entered(self) -> list[str]:
        return ["nsenter", "-t", str(self._first), "-m", "-u", "-i", "-p", "-C", "--"]

    def power_on(self) -> None:
        """Boot, and wait until systemd has started all that it starts at boot."""
        log = self.path.with_suffix(".console")
        command = [
            "systemd-nspawn",
            "--register=no",
            "--keep-unit",
            "--quiet",
            "--boot",
            "-D",
            str(self.path),
        ]
        with log.open("ab") as console:
            self._nspawn = subprocess.Popen(
                # Debian 13's systemd refuses a host with the older control groups without being told so.
                [*command, "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        deadline = time.monotonic() + 2 * MINUTES_S
        while time.monotonic() < deadline and self._nspawn.poll() is None:
            if first := children.read_text().split():
                self._first = int(first[0])
                if self.run("systemctl", "is-active", "multi-user.target").stdout == "active\n":
                    return
            time.sleep(0.2)
        pytest.fail(f"{self.path} does not boot:\n{log.read_text(errors='replace')[-2000:]}")

    def power_off(self) -> None:
        """Shut down as the owner of a server does; what still runs gets its time to end."""
        if self._nspawn is not None and self._nspawn.poll() is None:
            self.run("systemctl", "poweroff")
            self._nspawn.wait(3 * MINUTES_S)

    def pull_the_plug(self) -> None:
        """Nothing gets time for anything."""
        assert self._nspawn is not None
        os.kill(self._first, signal.SIGKILL)
        self._nspawn.wait(MINUTES_S)

    def shown(self, name: str) -> str:
        """A property of the service, as systemd knows it."""
        return self.run("systemctl", "show", "--value", "-p", name, "balas.service").stdout.strip()

    def answering(self, *, within_s: float) -> bool:
        """Whether every program answers, in the end."""
        return self.run("balas", "alive", "--wait-s", str(within_s)).returncode == 0


@contextmanager
def entered(version: str, folder: Path) -> Iterator[EnteredRoot]:
    """A fresh root; supervisord is ended when the test is over."""
    with _fresh(version, folder) as settings:
        subprocess.run(["mount", "-t", "proc", "proc", str(folder / "proc")], check=True)
        found = EnteredRoot(path=folder, settings=settings)
        try:
            yield found
        finally:
            found.stop()
            subprocess.run(["umount", str(folder / "proc")], check=True)


@contextmanager
def booted(version: str, folder: Path) -> Iterator[BootedRoot]:
    """A fresh root that has booted; it is shut down when the test is over."""
    _require("systemd-nspawn")
    with _fresh(version, folder) as settings:
        found = BootedRoot(path=folder, settings=settings)
        packages = "systemd systemd-sysv dbus"
        install = f"apt-get update -q && apt-get install -y -q --no-install-recommends {packages}"
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8"}
        done = subprocess.run(
            ["chroot", str(folder), "sh", "-c", install],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found.power_on()
        try:
            yield found
        finally:
            found.power_off()


@contextmanager
def _fresh(version: str, folder: Path) -> Iterator[dict[str, str]]:
    """Make the root; the settings name a model that answers as long as it is there."""
    _require("debootstrap")
    _unpack(SUITES[version], folder)
    for name in _OF_THE_MACHINE:
        if Path(name).exists():
            shutil.copy(name, folder / name.lstrip("/"))
    if certificate := os.environ.get("PIP_CERT"):
        shutil.copy(certificate, folder / "srv" / "ca.crt")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        target = folder / "srv" / "balas" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, target)
    with OpenAIStandInProcess() as model:
        yield {
            "OPENAI_API_KEY": "sk-uji-pasang",
            "SHOP_NAME": "Toko $uji; \\ pasang #1 'Ani'",
            "RUANG_ADMIN": "081234567890",
            "OPENAI_BASE_URL": model.base_url,
            "WEBHOOKS_PORT": str(free_port()),
            "HEALTH_PORT": str(free_port()),
        }


def _unpack(suite: str, folder: Path) -> None:
    archive = CACHE / f"{suite}.tar"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = folder.with_name(f"{folder.name}-fresh")
        subprocess.run(
            ["nice", "-n", "15", "debootstrap", "--variant=minbase", suite, str(fresh), _mirror()],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        part = archive.with_suffix(".part")
        subprocess.run(["tar", "-C", str(fresh), "--numeric-owner", "-cf", str(part), "."], check=True)
        part.rename(archive)
        shutil.rmtree(fresh)
    folder.mkdir()
    subprocess.run(["tar", "-C", str(folder), "--numeric-owner", "-xpf", str(archive)], check=True)


def _mirror() -> str:
    """Where this machine has its own Debian packages from."""
    for file in (*Path("/etc/apt/sources.list.d").glob("debian*"), Path("/etc/apt/sources.list")):
        for word in file.read_text().split() if file.is_file() else ():
            if word.startswith("http") and word.rstrip("/").endswith("/debian"):
                return word
    pytest.fail("this machine's apt sources name no Debian mirror")


def _require(program: str) -> None:
    """Skip, which is reported loudly, where the machine cannot have what the test needs."""
    if os.geteuid() != 0 or shutil.which(program) is None:
        pytest.skip(
            f"NOT TESTED: the installation needs root and {program} (apt-get install {_PACKAGES[program]})"
        )
