"""The command that newcomers type first, from a copy of the project as they have it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sandbox.surroundings import surroundings


def demo(folder: Path, *questions: str) -> subprocess.CompletedProcess[str]:
    """``make demo < questions``, in the environment of somebody who has set up nothing."""
    return subprocess.run(
        ["make", "-s", "demo"],
        cwd=folder,
        env=surroundings(),
        input="".join(f"{question}\n" for question in questions),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_demo_answers_piped_questions_from_the_shops_data_and_keeps_its_chats(copy: Path) -> None:
    done = demo(copy, "halo", "IH20 berapa kak?", "ada layanan katering pernikahan kak?", "makasih")
    assert done.returncode == 0, done.stderr
    assert "Pelita Net → pelanggan: " in done.stdout
    assert "Rp275.000" in done.stdout
    assert "uteruskan" in done.stdout
    assert "[owner #" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    # What it says about itself is for the screen, not for the file that answers go to.
    assert "stand-in model" in done.stderr
    assert "Demo:" not in done.stdout

    # The shop's own files are what it answers from: another price, another answer.
    catalogue = copy / "data" / "katalog.csv"
    catalogue.write_text(catalogue.read_text().replace(",275000,", ",289000,"))
    again = demo(copy, "IH20 berapa kak?")
    assert again.returncode == 0, again.stderr
    assert "Rp289.000" in again.stdout
    assert "275.000" not in again.stdout
    # He was introduced to the bot in the first demo, and its state is kept.
    assert "*privasi*" in done.stdout
    assert "*privasi*" not in again.stdout
    assert sorted(path.name for path in (copy / "var").iterdir()) == ["demo"]
