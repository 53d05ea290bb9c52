"""The product's settings in a benchmark: the defaults, but nothing waits and nothing comes from outside."""

from __future__ import annotations

from pathlib import Path

from bench.questions import DATA
from config.settings import Settings
from sandbox.limits import UNLIMITED

# Each of these would otherwise measure a wait or a limit instead of work.
_CHANGED = {
    "BALAS_MODE": "on",
    "BURST_QUIET_S": "0",
    "BURST_QUESTION_S": "0",
    "BURST_MAX_S": "0",
    "LOOP_ANSWERS": "0",
    "PACE_S": "0",
    "WATCH_KNOWLEDGE": "false",
    # Several run at once.
    "HEALTH_PORT": "off",
    **UNLIMITED,
    "LOG_LEVEL": "WARNING",
}


def settings_for(base_url: str, state_dir: Path, **changed: str) -> Settings:
    """Settings over the sample shop and the stand-in model, whatever the environment or ``.env`` says."""
    return Settings.load(environment_for(base_url, state_dir) | changed, env_file=None)


def environment_for(base_url: str, state_dir: Path) -> dict[str, str]:
    """The same for a process of the product; start it in a folder that has no ``.env``."""
    return {
        "OPENAI_API_KEY": "sk-sandbox",
        "OPENAI_BASE_URL": base_url,
        "DATA_DIR": str(DATA),
        "STATE_DIR": str(state_dir),
        **_CHANGED,
    }
