"""A temporary PostgreSQL from Debian's packages: one server a test session, a fresh database a test.

The server listens on a port of its own on the loopback, keeps its files in a temporary folder, has fsync
on as in production, and is stopped by its own process id only. PostgreSQL refuses to run as root, so
under root it runs as another user.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.parent import end_with_parent
from sandbox.ports import free_port

USER = "balas"
PASSWORD = "rahasia-basis-data"
# Databases of tests are copies of this one, which has the newest schema.
TEMPLATE = "balas_template"
_START_S = 30.0
_STOP_S = 30.0


class PostgresMissing(Exception):
    """PostgreSQL's server programs are not on this machine; the text names the package."""


class PostgresServer:
    """One server. ``start`` and ``stop`` may alternate: its files stay until ``remove``."""

    def __init__(self) -> None:
        self._programs = _programs_folder()
        self._user = _unprivileged_user()
        self._folder = Path(tempfile.mkdtemp(prefix="balas-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        self._initialise()

    def url(self, database: str = "postgres", *, password: str = PASSWORD) -> str:
        """``postgresql://…``, as the owner would write it in DATABASE_URL."""
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server on its port (chosen at the first start) and wait until it answers."""
        if self.port == 0:
            self.port = free_port()
        log = (self._folder / "server.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [
                    *(self._programs / "postgres", "-D", self._folder / "data"),
                    *("-c", f"port={self.port}", "-c", "listen_addresses=127.0.0.1"),
                    *("-c", f"unix_socket_directories={self._folder}"),
                    *("-c", "fsync=on", "-c", "shared_buffers=32MB", "-c", "max_connections=60"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A ^C in the terminal belongs to pytest, which then stops the server in good order.
                start_new_session=True,
                # A test run that is killed leaves no server behind; this signal asks for a fast shutdown.
                preexec_fn=partial(end_with_parent, signal.SIGINT),
                **self._as_user(),
            )
        self._wait_until_it_answers()

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop this server and wait for its end; SIGINT is PostgreSQL's fast shutdown."""
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(_STOP_S)
        self._process = None

    def remove(self) -> None:
        """Stop the server and delete its files."""
        self.stop()
        shutil.rmtree(self._folder)

    def create_database(self, template: str = "template1") -> str:
        """A new database, a copy of ``template``; its name."""
        name = f"balas_{secrets.token_hex(6)}"
        self.administrate(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Delete the database, whoever is still connected to it."""
        self.administrate(f"DROP DATABASE {name} WITH (FORCE)")

    def administrate(self, statement: str) -> None:
        """Run one statement on the server itself, outside a transaction."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _initialise(self) -> None:
        password_file = self._folder / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        # The cluster itself need not survive a power cut; what is committed later is synced as always.
        done = subprocess.run(
            [
                *(self._programs / "initdb", "-D", self._folder / "data", "--no-sync"),
                *("--username", USER, "--pwfile", password_file, "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--no-locale"),
            ],
            capture_output=True,
            text=True,
            check=False,
            **self._as_user(),
        )
        if done.returncode != 0:
            shutil.rmtree(self._folder)
            raise RuntimeError(f"initdb failed: {done.stdout}{done.stderr}")

    def _as_user(self) -> dict[str, Any]:
        """Arguments of subprocess that give up root's rights; nothing of the caller's folder is needed."""
        if self._user is None:
            return {"cwd": self._folder}
        return {
            "cwd": self._folder,
            "user": self._user.pw_uid,
            "group": self._user.pw_gid,
            "extra_groups": [],
        }

    def _wait_until_it_answers(self) -> None:
        import psycopg

        assert self._process is not None
        deadline = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
            except psycopg.OperationalError as exc:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = (self._folder / "server.log").read_text(errors="replace")
                    self.remove()
                    raise RuntimeError(f"PostgreSQL did not start:\n{log}") from exc
                time.sleep(0.05)
            else:
                return


def _programs_folder() -> Path:
    """Where ``postgres`` and ``initdb`` are; Debian keeps them out of PATH, one folder a version."""
    versions = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    versions.sort(key=lambda folder: float(folder.parent.name), reverse=True)
    if (in_path := shutil.which("postgres")) is not None:
        versions.append(Path(in_path).resolve().parent)
    for folder in versions:
        if (folder / "initdb").exists():
            return folder
    raise PostgresMissing("PostgreSQL is not installed (apt-get install postgresql)")


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom the server runs as; None means as ourselves."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")
