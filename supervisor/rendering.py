"""The configuration of supervisord and the unit of systemd, for the paths and the user of one machine. Pure.

``balas.conf`` runs from a checkout as it is; a server keeps code, state and settings in different places.
"""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).with_name("balas.conf")

# From the documentation of Supervisor 4.3 ("Configuration File"), section by section. Supervisor accepts a
# misspelt option without a word, so whatever is not here is refused; a server on the network is left out.
_OUTPUT = frozenset(
    f"{stream}_{what}"
    for stream in ("stdout", "stderr")
    for what in (
        *("logfile", "logfile_maxbytes", "logfile_backups", "capture_maxbytes"),
        *("events_enabled", "syslog"),
    )
)
_PROGRAM = _OUTPUT | {
    *("command", "process_name", "numprocs", "numprocs_start", "priority", "autostart", "startsecs"),
    *("startretries", "autorestart", "exitcodes", "stopsignal", "stopwaitsecs", "stopasgroup"),
    *("killasgroup", "user", "redirect_stderr", "directory", "umask", "serverurl"),
}
OPTIONS: dict[str, frozenset[str]] = {
    "unix_http_server": frozenset({"file", "chmod", "chown", "username", "password"}),
    "supervisord": frozenset(
        {
            *("logfile", "logfile_maxbytes", "logfile_backups", "loglevel", "pidfile", "umask", "nodaemon"),
            *("silent", "minfds", "minprocs", "nocleanup", "childlogdir", "user", "directory", "strip_ansi"),
            "identifier",
        }
    ),
    "supervisorctl": frozenset({"serverurl", "username", "password", "prompt", "history_file"}),
    "rpcinterface": frozenset({"supervisor.rpcinterface_factory"}),
    "group": frozenset({"programs", "priority"}),
    "program": frozenset(_PROGRAM),
    "eventlistener": frozenset(_PROGRAM) | {"buffer_size", "events", "result_handler"},
}


class CannotRender(Exception):
    """The configuration cannot be written for these paths; the text says what to change."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where Balas is on one machine; all paths are absolute."""

    project: Path  # the code, with `.env` or a link to it
    python: Path  # of its virtual environment
    state: Path  # database, session, logs, socket
    data: Path  # the shop's files, where the bot keeps what it was taught
    user: str | None  # whom supervisord becomes when root starts it; None: whoever starts it


def read(text: str) -> configparser.RawConfigParser:
    """The configuration's sections; a section or option that stands there twice is an error."""
    parser = configparser.RawConfigParser(strict=True, inline_comment_prefixes=(" ;",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # The library's own way to keep capitals.
    parser.read_string(text)
    return parser


def unknown_options(parser: configparser.RawConfigParser) -> list[str]:
    """Every section or option that Supervisor 4.3 does not document, or that we do not want."""
    found = []
    for section in parser.sections():
        kind = section.partition(":")[0]
        if kind not in OPTIONS:
            found.append(f"[{section}]")
            continue
        found += [
            f"[{section}] {option}" for option in parser.options(section) if option not in OPTIONS[kind]
        ]
    return found


def configuration(place: Place, template: str | None = None) -> str:
    """The text for supervisord. Raises ``CannotRender``."""
    text = TEMPLATE.read_text(encoding="utf-8") if template is None else template
    if unknown := unknown_options(read(text)):
        raise CannotRender(f"options that Supervisor does not know: {', '.join(unknown)}")
    for path in (place.project, place.python, place.state):
        _check(path)
    # The state and the interpreter first: both are below the project in the template.
    for written, real in (
        ("%(here)s/../.venv/bin/python", place.python),
        ("%(here)s/../var", place.state),
        ("%(here)s/..", place.project),
    ):
        text = text.replace(written, str(real))
    if place.user is not None:
        text = text.replace("[supervisord]\n", f"[supervisord]\nuser = {place.user}\n", 1)
    return text


def _check(path: Path) -> None:
    if not path.is_absolute():
        raise CannotRender(f"{path} must be an absolute path")
    # A blank would end a word of a command, a percent sign begins an expansion, a semicolon a comment.
    if found := sorted({char for char in str(path) if char in " %;\"'\\" or not char.isprintable()}):
        raise CannotRender(f"{path} has {' '.join(map(repr, found))} in it; choose a path without")


def unit(place: Place, *, configuration: Path) -> str:
    """The unit that runs supervisord under systemd, with everything taken away that Balas does not need."""
    for path in (place.project, place.python, place.state, place.data, configuration):
        _check(path)
    supervisord = place.python.with_name("supervisord")
    supervisorctl = place.python.with_name("supervisorctl")
    user = f"User={place.user}\nGroup={place.user}\n" if place.user else ""
    return f"""\
[Unit]
Description=Balas, WhatsApp customer service
After=network-online.target
Wants=network-online.target
# Whatever happens, it is tried again: nobody may be there to start it.
StartLimitIntervalSec=0

[Service]
Type=simple
{user}WorkingDirectory={place.project}
ExecStart={supervisord} -n -c {configuration}
ExecReload={supervisorctl} -c {configuration} update
Restart=always
RestartSec=5
# supervisord stops the programs, which finish what is under way; its own limits are shorter.
KillMode=mixed
TimeoutStopSec=60
UMask=0077
LimitNOFILE=65536
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictSUIDSGID=yes
LockPersonality=yes
ReadWritePaths={place.state} {place.data}
CapabilityBoundingSet=

[Install]
WantedBy=multi-user.target
"""
