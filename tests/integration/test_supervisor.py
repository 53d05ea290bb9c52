"""The configuration for supervisord: every option is one that exists, and the real thing obeys it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.exits import EXIT_AGAIN, EXIT_LATER
from config.settings import BotSettings
from supervisor.rendering import CannotRender, Place, configuration, read, unit, unknown_options

PROJECT = Path(__file__).resolve().parents[2]
CONFIGURATION = PROJECT / "supervisor" / "balas.conf"
SCRIPTS = Path(sys.executable).parent


def test_every_option_is_one_that_supervisor_knows() -> None:
    assert unknown_options(read(CONFIGURATION.read_text())) == []


def test_a_misspelt_option_and_a_server_on_the_network_would_be_found() -> None:
    text = "[program:x]\ncommand=y\nautorestarts=true\n[inet_http_server]\nport=9001\n"
    assert unknown_options(read(text)) == ["[program:x] autorestarts", "[inet_http_server]"]


def place(folder: Path, *, user: str | None = None) -> Place:
    return Place(
        project=folder / "kode",
        python=folder / "kode/.venv/bin/python",
        state=folder / "keadaan",
        data=folder / "data",
        user=user,
    )


def test_the_rendered_configuration_has_real_paths_and_known_options_only() -> None:
    text = configuration(place(Path("/opt/balas"), user="balas"))
    parser = read(text)
    assert unknown_options(parser) == []
    assert "%(here)s" not in "".join(line for line in text.splitlines() if not line.startswith(";"))
    assert parser.get("supervisord", "user") == "balas"
    assert parser.get("supervisord", "logfile") == "/opt/balas/keadaan/supervisord.log"
    assert parser.get("unix_http_server", "file") == "/opt/balas/keadaan/supervisor.sock"
    for section in ("program:bot", "program:webhooks", "eventlistener:watch"):
        assert parser.get(section, "command").startswith("/opt/balas/kode/.venv/bin/python ")
        assert parser.get(section, "directory") == "/opt/balas/kode"
    # Whatever is in the original is in the copy.
    original = read(CONFIGURATION.read_text())
    assert [s for s in original.sections() if dict(original[s]).keys() - dict(parser[s]).keys()] == []


def test_every_log_is_bounded() -> None:
    parser = read(CONFIGURATION.read_text())
    for section in parser.sections():
        for option in parser.options(section):
            if option.endswith("logfile") and parser.get(section, option) != "NONE":
                assert parser.get(section, f"{option}_maxbytes") == "10MB"
                assert parser.getint(section, f"{option}_backups") <= 5


@pytest.mark.parametrize("name", ["a b", "a%b", "a;b", 'a"b', "a\nb"])
def test_a_path_that_would_mean_something_else_is_refused(name: str) -> None:
    with pytest.raises(CannotRender, match="choose a path without"):
        configuration(place(Path("/opt") / name))
    with pytest.raises(CannotRender, match="absolute"):
        configuration(place(Path("opt")))


def test_a_misspelt_option_is_not_rendered() -> None:
    with pytest.raises(CannotRender, match="autorestarts"):
        configuration(place(Path("/opt")), "[program:x]\nautorestarts = true\n")


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path, report: Callable[[str], None]) -> None:
    there = place(tmp_path)
    there.python.parent.mkdir(parents=True)
    for program in ("supervisord", "supervisorctl"):
        there.python.with_name(program).write_text("#!/bin/sh\n")
        there.python.with_name(program).chmod(0o755)
    file = tmp_path / "balas.service"
    file.write_text(unit(there, configuration=tmp_path / "supervisord.conf"))
    assert "NoNewPrivileges=yes" in file.read_text()
    assert f"ReadWritePaths={there.state} {there.data}\n" in file.read_text()
    if shutil.which("systemd-analyze") is None:
        report("NOT TESTED: systemd-analyze is not here, so nobody has read the unit")
        return
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "balas.service" in line]
    assert (done.returncode, ours) == (0, [])


def test_each_program_restarts_after_a_crash_only_and_has_time_to_drain() -> None:
    parser = read(CONFIGURATION.read_text())
    programs = [section for section in parser.sections() if section.startswith("program:")]
    assert programs == ["program:bot", "program:webhooks", "program:weaviate"]
    for program in programs:
        assert parser.get(program, "autorestart") == "unexpected"
        assert parser.get(program, "exitcodes") == "0,78"
        assert parser.get(program, "umask") == "077"
        assert parser.getint(program, "stopwaitsecs") > BotSettings().drain_s + 5
        # Neither exit code that asks for a new process may be among those that leave it down.
        assert {EXIT_LATER, EXIT_AGAIN}.isdisjoint(map(int, parser.get(program, "exitcodes").split(",")))
        assert parser.getboolean(program, "redirect_stderr")
        assert not parser.has_option(program, "environment")


@pytest.fixture
def installation() -> Iterator[Path]:
    """A folder like the project's own, with its own state and settings; short-named, for the socket."""
    folder = Path(tempfile.mkdtemp(prefix="balas-sv-"))
    (folder / "supervisor").mkdir()
    # The bot has a test of its own, with a WhatsApp to talk to.
    text = CONFIGURATION.read_text().replace("autostart = true", "autostart = false", 1)
    # So has the memory's server, which nobody asked for here.
    server = text.index("[program:weaviate]")
    text = text[:server] + text[server:].replace("autostart = true", "autostart = false", 1)
    # So has the watcher.
    listener = text.index("[eventlistener:watch]")
    text = text[:listener] + text[listener:].replace("autostart = true", "autostart = false")
    (folder / "supervisor" / "balas.conf").write_text(text)
    (folder / "var").mkdir(mode=0o700)
    (folder / "data").mkdir()
    (folder / "run_webhooks.py").symlink_to(PROJECT / "run_webhooks.py")
    (folder / ".venv" / "bin").mkdir(parents=True)
    # A script, since a symbolic link to the interpreter would lose its virtual environment.
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    env = folder / ".env"
    env.write_text("OPENAI_API_KEY=sk-uji\nSHOP_NAME=Toko Uji\nWEBHOOKS_PORT=0\n")
    env.chmod(0o600)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def supervisord(installation: Path) -> Iterator[Path]:
    """The real supervisord over that folder, started from another one."""
    daemon = subprocess.Popen(
        [SCRIPTS / "supervisord", "-n", "-c", installation / "supervisor" / "balas.conf"],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": str(installation)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield installation
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0


def control(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [SCRIPTS / "supervisorctl", "-c", folder / "supervisor" / "balas.conf", *words],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def wait_until(holds: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


def running_pid(folder: Path, *, other_than: int = 0) -> int:
    """The process id, once the program is RUNNING under another one than that."""
    status = ""

    def runs() -> bool:
        nonlocal status
        status = control(folder, "status", "webhooks")
        return " RUNNING " in status and f"pid {other_than}," not in status

    wait_until(runs, lambda: status)
    return int(status.split("pid ")[1].split(",")[0])


def events(folder: Path) -> list[str]:
    # Supervisor may be in the middle of a line.
    lines = (folder / "var" / "webhooks.log").read_text().split("\n")[:-1]
    return [json.loads(line)["event"] for line in lines]


def test_supervisord_starts_restarts_and_stops_the_payment_process(supervisord: Path) -> None:
    first = running_pid(supervisord)
    # RUNNING only means that it is alive for a second.
    wait_until(lambda: "webhooks_started" in events(supervisord), lambda: str(events(supervisord)))
    os.kill(first, signal.SIGKILL)
    second = running_pid(supervisord, other_than=first)
    wait_until(lambda: events(supervisord).count("webhooks_started") == 2, lambda: str(events(supervisord)))
    control(supervisord, "stop", "webhooks")
    assert "STOPPED" in control(supervisord, "status", "webhooks")
    # A stop that ran out of time would have ended by SIGKILL and written nothing.
    assert events(supervisord)[-1] == "webhooks_stopping"
    log = (supervisord / "var" / "supervisord.log").read_text()
    assert f"{first}" in log
    assert f"{second}" in log
    assert "stopped: webhooks (exit status 0)" in log
    for path in (*(supervisord / "var").glob("balas.db*"), supervisord / "var" / "supervisor.sock"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_folder_named_supervisor_does_not_hide_the_real_one() -> None:
    shown = subprocess.run(
        [SCRIPTS / "supervisord", "--version"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert shown.stdout == "4.3.0\n"
