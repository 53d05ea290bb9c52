"""All settings of Balas: one frozen object, read once from the environment and `.env`.

Each field carries the name of its key, so that defaults, keys and parsers stand in one place. `.env.example`
is compared with these fields by a test. Nothing else in the product reads the environment.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import unquote, urlsplit

from config import billing, memory, operation
from config import environment as env
from config.billing import BillingSettings
from config.environment import keyed as _key
from config.errors import ConfigError
from config.memory import MemorySettings
from config.operation import AlertSettings, OperationSettings
from config.secret import MASK, Secret


class Mode(Enum):
    """How far the bot may go by itself."""

    OFF = "off"  # Messages are recorded, nobody is answered.
    PRACTICE = "practice"  # Answers are shown to the owner alone; customers get nothing.
    APPROVE = "approve"  # Each answer waits until the owner lets it go.
    ON = "on"  # Answers go out by themselves.
    NEW = "new"  # Nobody is answered before the owner's first *mulai*; he tries the bot in his room.


class Audience(Enum):
    """Who is answered."""

    ALL = "semua"  # Whoever writes.
    NEW_NUMBERS = "nomor_baru"  # Only numbers that the shop's phone has not saved.
    LISTED = "daftar"  # Only those whom the owner names with *lanjut*.


class Login(Enum):
    """How the shop's phone lets a new device in."""

    QR = "qr"  # It scans a code.
    CODE = "code"  # A person types eight characters into it; needs WHATSAPP_NUMBER.


class LogFormat(Enum):
    """How log lines look."""

    AUTO = "auto"  # JSON under Supervisor or when stderr is no terminal, else console.
    JSON = "json"  # One JSON object a line, for machines.
    CONSOLE = "console"  # Readable lines, for people.


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """The chat and embedding model, and what may be spent on them. Money is whole rupiah."""

    api_key: Secret = field(metadata=_key("OPENAI_API_KEY", env.secret))
    base_url: str = field(default="https://api.openai.com/v1", metadata=_key("OPENAI_BASE_URL", env.http_url))
    chat_model: str = field(default="gpt-5.4-mini", metadata=_key("CHAT_MODEL", env.text))
    # None means that the search goes by words alone.
    embedding_model: str | None = field(
        default="text-embedding-3-small",
        metadata=_key("EMBEDDING_MODEL", env.optional(env.text, off={"off"})),
    )
    embedding_dimensions: int = field(
        default=512, metadata=_key("EMBEDDING_DIMENSIONS", env.whole(at_least=8, at_most=4096))
    )
    # None means that the parameter is not sent: not every model knows it.
    reasoning_effort: str | None = field(
        default=None,
        metadata=_key(
            "REASONING_EFFORT", env.optional(env.words("none", "minimal", "low", "medium", "high", "xhigh"))
        ),
    )
    call_timeout_s: float = field(
        default=20.0, metadata=_key("MODEL_TIMEOUT_S", env.number(at_least=0.1, at_most=600))
    )
    # After this long without an answer of the model a fallback answer goes out.
    answer_deadline_s: float = field(
        default=30.0, metadata=_key("ANSWER_DEADLINE_S", env.number(at_least=0.1, at_most=600))
    )
    attempts: int = field(default=2, metadata=_key("MODEL_ATTEMPTS", env.whole(at_least=1, at_most=10)))
    max_output_tokens: int = field(
        default=700, metadata=_key("MODEL_MAX_OUTPUT_TOKENS", env.whole(at_least=50, at_most=100_000))
    )
    max_in_flight: int = field(
        default=20, metadata=_key("MODEL_MAX_IN_FLIGHT", env.whole(at_least=1, at_most=1000))
    )
    # The list prices of the default models (0.75, 4.50 and 0.02 dollars) at 17,000 rupiah a dollar.
    input_idr_per_mtok: int = field(
        default=12_750, metadata=_key("MODEL_INPUT_IDR_PER_MTOK", env.whole(at_least=0))
    )
    output_idr_per_mtok: int = field(
        default=76_500, metadata=_key("MODEL_OUTPUT_IDR_PER_MTOK", env.whole(at_least=0))
    )
    embedding_idr_per_mtok: int = field(
        default=340, metadata=_key("EMBEDDING_IDR_PER_MTOK", env.whole(at_least=0))
    )
    # A budget of 0 means that nothing is spent: the model is never asked.
    daily_budget_idr: int = field(
        default=50_000, metadata=_key("MODEL_DAILY_BUDGET_IDR", env.whole(at_least=0))
    )
    customer_daily_budget_idr: int = field(
        default=5_000, metadata=_key("CUSTOMER_DAILY_BUDGET_IDR", env.whole(at_least=0))
    )
    # Answers of the model that one customer gets in a day; afterwards the FAQ alone answers him.
    customer_daily_answers: int = field(
        default=100, metadata=_key("CUSTOMER_DAILY_ANSWERS", env.whole(at_least=0))
    )


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """Where the state lives."""

    # None means SQLite in the state directory.
    database_url: str | None = field(
        default=None, metadata=_key("DATABASE_URL", env.optional(env.postgres_url))
    )
    # Lets Balas start on an SQLite library that is known to lose data; for trying out only.
    allow_old_sqlite: bool = field(default=False, metadata=_key("ALLOW_OLD_SQLITE", env.yes_or_no))

    @property
    def database_password(self) -> Secret | None:
        """The password inside `database_url` as it is used, so that logging can redact it."""
        password = urlsplit(self.database_url).password if self.database_url else None
        return Secret(unquote(password)) if password else None

    def __repr__(self) -> str:
        masked = re.sub(r"(?<=://).*@", f"{MASK}@", self.database_url) if self.database_url else None
        return f"StoreSettings(database_url={masked!r}, allow_old_sqlite={self.allow_old_sqlite!r})"


@dataclass(frozen=True, kw_only=True)
class BotSettings:
    """How the bot behaves in time."""

    # Counts until the owner says another one in his room. None: on WhatsApp "new", in the terminal "on".
    mode: Mode | None = field(default=None, metadata=_key("BALAS_MODE", env.optional(env.one_of(Mode))))
    audience: Audience = field(default=Audience.ALL, metadata=_key("BALAS_KE", env.one_of(Audience)))
    # A group or number with the owner in it; None means that notices have nowhere to go but the log.
    admin_room: str | None = field(default=None, metadata=_key("RUANG_ADMIN", env.optional_text))
    # Messages of one burst are gathered until it was quiet for so long; 0 means to answer at once.
    burst_quiet_s: float = field(
        default=3.0, metadata=_key("BURST_QUIET_S", env.number(at_least=0, at_most=60))
    )
    burst_question_s: float = field(
        default=1.5, metadata=_key("BURST_QUESTION_S", env.number(at_least=0, at_most=60))
    )
    burst_max_s: float = field(
        default=12.0, metadata=_key("BURST_MAX_S", env.number(at_least=0, at_most=300))
    )
    # So many answers to one customer within three minutes look like another bot: silence. 0 switches it off.
    loop_answers: int = field(default=6, metadata=_key("LOOP_ANSWERS", env.whole(at_least=0, at_most=1000)))
    # After a person wrote from the shop's phone the bot is silent in that chat for so long.
    human_pause_s: float = field(
        default=1800.0, metadata=_key("HUMAN_PAUSE_S", env.number(at_least=0, at_most=86_400))
    )
    # The knowledge folder is watched, and changes are read in by themselves.
    watch_knowledge: bool = field(default=True, metadata=_key("WATCH_KNOWLEDGE", env.yes_or_no))
    handoff_reminder_s: float = field(
        default=1800.0, metadata=_key("HANDOFF_REMINDER_S", env.number(at_least=1))
    )
    # A customer who was promised a person hears after so long that he still waits; 0 switches it off.
    handoff_note_s: float = field(
        default=14_400.0, metadata=_key("HANDOFF_NOTE_S", env.number(at_least=0, at_most=259_200))
    )
    # When the owner reads about the day before, in the shop's zone; 0: only when he asks. At night the bot
    # begins nothing.
    digest_hour: int = field(default=8, metadata=_key("DIGEST_HOUR", env.whole(at_least=0, at_most=19)))
    poll_s: float = field(default=0.5, metadata=_key("POLL_S", env.number(at_least=0.01, at_most=60)))
    drain_s: float = field(default=5.0, metadata=_key("DRAIN_S", env.number(at_least=0, at_most=300)))
    send_attempts: int = field(default=10, metadata=_key("SEND_ATTEMPTS", env.whole(at_least=1, at_most=100)))
    # The least time between two sends of the account; None leaves it to the channel.
    pace_s: float | None = field(
        default=None, metadata=_key("PACE_S", env.optional(env.number(at_least=0, at_most=60)))
    )

    # Larger files that customers send are not fetched; 0 keeps none at all.
    media_max_mb: int = field(default=16, metadata=_key("MEDIA_MAX_MB", env.whole(at_least=0, at_most=2000)))
    # Files that customers sent, and those that were sent to them, are deleted after so many days.
    media_days: int = field(default=30, metadata=_key("MEDIA_DAYS", env.whole(at_least=1, at_most=3650)))


@dataclass(frozen=True, kw_only=True)
class WhatsAppSettings:
    """The shop's WhatsApp session."""

    # The shop's own number; a session of another one is refused. None takes whichever phone scans the code.
    number: str | None = field(default=None, metadata=_key("WHATSAPP_NUMBER", env.optional(env.phone)))
    login: Login = field(default=Login.QR, metadata=_key("WHATSAPP_LOGIN", env.one_of(Login)))
    # Marks private messages as those of an AI business, which WhatsApp shows in the chat.
    bot_tag: bool = field(default=False, metadata=_key("WHATSAPP_BOT_TAG", env.yes_or_no))
    # At pairing the phone hands over its chats of the last months; their words are kept for so long if the
    # owner says so when he is asked. 0: they are not kept, and he is not asked.
    history_days: int = field(default=30, metadata=_key("HISTORY_DAYS", env.whole(at_least=0, at_most=365)))


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """Where the payment process listens."""

    # Loopback: the outside world comes in through a proxy that speaks TLS.
    host: str = field(default="127.0.0.1", metadata=_key("WEBHOOKS_HOST", env.host))
    # 0 takes any free port and logs which.
    port: int = field(default=8080, metadata=_key("WEBHOOKS_PORT", env.whole(at_least=0, at_most=65_535)))


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """What is logged and how."""

    level: str = field(
        default="INFO",
        metadata=_key("LOG_LEVEL", env.words("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", upper=True)),
    )
    format: LogFormat = field(default=LogFormat.AUTO, metadata=_key("LOG_FORMAT", env.one_of(LogFormat)))
    # Supervisor sets this variable for its programs; it is no key of ours and belongs in no `.env`.
    under_supervisor: bool = False


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that is configured, checked as a whole."""

    shop_name: str = field(metadata=_key("SHOP_NAME", env.optional_text))
    account: str = field(default="utama", metadata=_key("BALAS_ACCOUNT", env.slug))
    data_dir: Path = field(default=Path("data"), metadata=_key("DATA_DIR", env.folder))
    state_dir: Path = field(default=Path("var"), metadata=_key("STATE_DIR", env.folder))
    model: ModelSettings
    store: StoreSettings = field(default_factory=StoreSettings)
    memory: MemorySettings = field(default_factory=MemorySettings)
    bot: BotSettings = field(default_factory=BotSettings)
    whatsapp: WhatsAppSettings = field(default_factory=WhatsAppSettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    billing: BillingSettings = field(default_factory=BillingSettings)
    operation: OperationSettings = field(default_factory=OperationSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    log: LogSettings = field(default_factory=LogSettings)
    # What the owner should mend, though Balas can run: one sentence each, saying what to do.
    warnings: tuple[str, ...] = ()

    @property
    def sqlite_path(self) -> Path:
        return self.state_dir / "balas.db"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Everything that must never appear in a log."""
        found = (
            self.model.api_key,
            self.store.database_password,
            self.memory.weaviate_key,
            self.billing.server_key,
            self.billing.starsender_key,
            self.alerts.telegram_token,
        )
        return tuple(secret for secret in found if secret)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Settings:
        """Settings from `environ` (the process's own when None), which wins over `env_file`.

        Raises ConfigError with every missing, invalid and misspelt key at once.
        """
        environ = os.environ if environ is None else environ
        from_file, problems = env.read_env_file(env_file) if env_file else ({}, [])
        known = dict(keys())
        problems += [
            f"{name} in {env_file} is no setting; did you mean {meant}?"
            for name, meant in env.slips(from_file, known)
        ]
        raw = {**from_file, **{name: environ[name] for name in known if name in environ}}
        values = _parse(cls, raw, problems)
        # Two things can't be read from their own key alone.
        if "log" in values:
            values["log"]["under_supervisor"] = "SUPERVISOR_ENABLED" in environ
        if "data_dir" in values and not values.get("shop_name"):
            values["shop_name"] = _name_from_profile(values["data_dir"], problems)
        if values["whatsapp"].get("login") is Login.CODE and not values["whatsapp"].get("number"):
            problems.append("WHATSAPP_LOGIN=code needs WHATSAPP_NUMBER, the number of the shop's phone.")
        problems += billing.problems_of(values["billing"])
        problems += memory.problems_of(values["memory"])
        problems += operation.problems_of(values["alerts"])
        if "state_dir" in values:
            problems += env.open_folder(values["state_dir"])
        if problems:
            raise ConfigError(problems)
        parts = {name: part(**values.pop(name)) for name, part in _parts(cls)}
        warnings = _advice(parts["model"], parts["webhooks"]) + billing.advice_on(parts["billing"])
        warnings += memory.advice_on(parts["memory"])
        return cls(**values, **parts, warnings=tuple(warnings))


def keys() -> Iterator[tuple[str, str]]:
    """Every key that is read, with its default as one would write it in `.env`."""
    for item in _leaves(Settings):
        default = "" if item.default is MISSING or item.default is None else item.default
        if isinstance(default, bool):
            default = str(default).lower()
        yield item.metadata["key"], str(default.value if isinstance(default, Enum) else default)


def _parts(kind: type[Any]) -> list[tuple[str, type[Any]]]:
    """The nested parts of a settings class: field name and class."""
    hints = get_type_hints(kind)
    return [(name, hint) for name, hint in hints.items() if isinstance(hint, type) and is_dataclass(hint)]


def _leaves(kind: type[Any]) -> Iterator[Field[Any]]:
    yield from (item for item in fields(kind) if "key" in item.metadata)
    for _, part in _parts(kind):
        yield from _leaves(part)


def _parse(kind: type[Any], raw: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """The constructor's arguments, nested like the classes; what can't be parsed is left out and named."""
    values: dict[str, Any] = {name: _parse(part, raw, problems) for name, part in _parts(kind)}
    for item in fields(kind):
        if "key" not in item.metadata:
            continue
        key = item.metadata["key"]
        given = raw.get(key, "").strip()
        required = item.default is MISSING
        # An empty value stands for the default, unless the parser gives emptiness a meaning of its own.
        if not given and not required and not (key in raw and _means_something(item, given)):
            continue
        try:
            values[item.name] = item.metadata["parser"](given)
        except ValueError as error:
            problems.append(f"{key} {error}.")
    return values


def _means_something(item: Field[Any], given: str) -> bool:
    try:
        return item.metadata["parser"](given) is None
    except ValueError:
        return False


def _name_from_profile(data_dir: Path, problems: list[str]) -> str:
    profile = data_dir / "toko.toml"
    try:
        name = tomllib.loads(profile.read_text(encoding="utf-8-sig")).get("nama")
    except FileNotFoundError:
        name = None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(
            f"The shop's name can't be read from {profile}: {error}. Mend the file or write SHOP_NAME."
        )
        return ""
    if isinstance(name, str) and name.strip():
        return name.strip()
    problems.append(f'The shop has no name: write nama = "..." in {profile}, or SHOP_NAME in .env.')
    return ""


def _advice(model: ModelSettings, webhooks: WebhookSettings) -> list[str]:
    advice = []
    if env.is_unprotected(model.base_url):
        advice.append("OPENAI_BASE_URL is plain http, so the key and all chats travel readable: use https.")
    if not env.is_loopback(webhooks.host):
        advice.append(
            "WEBHOOKS_HOST lets other machines in without TLS: use 127.0.0.1 and a proxy in front of it."
        )
    return advice
