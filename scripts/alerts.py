"""Writes docs/alerts.md from the owner's sentences: each alert, its meaning, what to do. A test compares."""

from __future__ import annotations

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from config.alarms import ALARMS  # noqa: E402 - the project must be found first.
from config.tomlfile import read_toml  # noqa: E402 - the project must be found first.
from config.wording import DEFAULTS  # noqa: E402 - the project must be found first.

TARGET = PROJECT / "docs" / "alerts.md"
HEAD = """\
# Kalau ada yang salah

Setiap alarm Balas, artinya, dan yang harus dilakukan. 🔴 berarti pelanggan tidak dilayani
atau uang terlibat; 🟠 berarti perlu dilihat, tetapi pelanggan tetap dilayani. Sebuah alarm dikabarkan sekali,
diulang paling cepat 15 menit kemudian selama masih menyala (setelah satu jam: tiap jam; setelah 12 jam: tiap
6 jam), dan sekali lagi kalau sudah selesai.

Alarm dikirim lewat Telegram (`TELEGRAM_TOKEN`, `TELEGRAM_CHAT`). Kalau itu tidak diatur atau tidak menjawab,
lewat Starsender ke `ALERT_NUMBER`, dan ke Ruang Admin. Kalimatnya bisa diganti di `kalimat.toml`;
yang sedang menyala terlihat dengan `sudo balas status`. Dengan `PING_URL` ada yang memberi tahu
juga kalau seluruh servernya mati.

Perintah `sudo balas …` ada di server yang dipasang dengan `install.sh`. Kalau Balas dijalankan sendiri dari
foldernya, pakai `.venv/bin/python -m supervisor status` (juga `pair`), `.venv/bin/python -m store.backup`,
dan `.venv/bin/supervisorctl -c supervisor/balas.conf start bot`.

<!-- Written by scripts/alerts.py from config/kalimat.toml. -->

| Alarm | Artinya | Yang harus dilakukan |
|---|---|---|
"""


def document() -> str:
    """The document's text."""
    sentences, problems = read_toml(DEFAULTS)
    assert not problems, problems
    rows = []
    for name in ALARMS:
        title, meaning, advice, _ = str(sentences[name]).strip().split("\n")
        mark, _, words = title.partition(" ")
        rows.append(f"| {mark} **{words.strip('*')}** | {meaning} | {advice.removeprefix('👉 ')} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
