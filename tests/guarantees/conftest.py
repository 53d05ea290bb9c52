"""The stand-in and the knowledge that all scenarios share."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.openai.process import OpenAIStandInProcess
from tests.guarantees.home import Home, copied

# About 20 to 60 ms an answer: there is always work in hand when the bot dies.
LATENCY_MS_PER_TOKEN = 0.8


@pytest.fixture(scope="session")
def model() -> Iterator[OpenAIStandInProcess]:
    """The model's stand-in; it goes on while the bots die."""
    with OpenAIStandInProcess(latency_ms_per_token=LATENCY_MS_PER_TOKEN) as process:
        yield process


@pytest.fixture(scope="session")
def template(model: OpenAIStandInProcess, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose knowledge is read; scenarios work on copies."""
    home = Home(state_dir=tmp_path_factory.mktemp("template"), model_url=model.base_url)
    home.ingest()
    return home


@pytest.fixture
def make_home(template: Home, tmp_path: Path) -> Callable[..., Home]:
    """``make_home(MODEL_ATTEMPTS="1")``: a fresh home with these settings."""

    def make(**settings: str) -> Home:
        return copied(template, tmp_path / f"var-{secrets.token_hex(3)}", **settings)

    return make
