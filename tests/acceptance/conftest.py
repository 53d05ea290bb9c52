"""The sample shop, ready to be talked to: its knowledge is read once and copied for each test."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.openai.process import OpenAIStandInProcess
from tests.acceptance.shop import PROJECT, Shop, sample_data

LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".venv", "var", ".env", "tests", "__pycache__", ".*_cache", ".hypothesis"), "faq_belajar.json"
)


@pytest.fixture(scope="session")
def model() -> Iterator[OpenAIStandInProcess]:
    """The stand-in for the model, a process that all tests share."""
    with OpenAIStandInProcess() as running:
        yield running


@pytest.fixture(scope="session")
def sample(model: OpenAIStandInProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample shop's data and a database that has read it."""
    shop = Shop(folder=tmp_path_factory.mktemp("sample"), base_url=model.base_url)
    sample_data(shop.data)
    done = shop.read_knowledge()
    assert done.returncode == 0, done.stderr
    return shop.folder


@pytest.fixture
def shop(sample: Path, model: OpenAIStandInProcess, tmp_path: Path) -> Shop:
    """The sample shop, a copy for this test alone."""
    for name in ("data", "var"):
        shutil.copytree(sample / name, tmp_path / name)
    return Shop(folder=tmp_path, base_url=model.base_url)


@pytest.fixture
def bare_shop(model: OpenAIStandInProcess, tmp_path: Path) -> Callable[..., Shop]:
    """``bare_shop()``: a shop with an empty folder and a name, nothing read yet."""

    def make(**settings: str) -> Shop:
        (tmp_path / "data").mkdir()
        return Shop(folder=tmp_path, base_url=model.base_url, settings={"SHOP_NAME": "Toko Uji", **settings})

    return make


@pytest.fixture
def slow_model(model: OpenAIStandInProcess) -> Iterator[Callable[[float], None]]:
    """``slow_model(0.7)``: each answer of the model takes so many seconds, for this test alone."""

    def slow_down(delay_s: float) -> None:
        model.control(mode="slow", for_="chat", delay_s=delay_s)

    yield slow_down
    model.control(mode="ok")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tree as a newcomer has it; only the packages are those that are installed here."""
    folder = tmp_path / "balas"
    shutil.copytree(PROJECT, folder, ignore=LEFT_OUT)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return folder
