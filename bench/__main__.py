"""All benchmarks: ``python -m bench [--quick | --full]``. What falls short of a goal is told at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from bench.figures import falls_short, is_figure
from bench.questions import PROJECT

# Each in a process of its own, so that none inherits another's memory or warm caches.
BENCHMARKS = (
    *("bench.answer", "bench.recall", "bench.memory", "bench.retrieval", "bench.whatsapp"),
    "bench.webhooks",
)


def main(arguments: Sequence[str]) -> int:
    """Run them one after the other and repeat all figures; 1 when one broke, 0 whatever the figures say."""
    unknown = [argument for argument in arguments if argument not in ("--quick", "--full")]
    if unknown or len(arguments) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    cores, load = os.cpu_count(), os.getloadavg()[0]
    print(f"{cores} cores, load {load:.1f} before the start; times depend on it, ratios hardly.", flush=True)
    lines: list[str] = []
    broken: list[str] = []
    for name in BENCHMARKS:
        print(f"\n== {name}", flush=True)
        if not run(name, arguments, lines):
            broken.append(name)
    print("\n== all figures", *lines, sep="\n")
    short = [line for line in lines if falls_short(line)]
    print(f"\n{len(lines)} figures, {len(short)} short of their goals.")
    for name in broken:
        print(f"{name} broke off.")
    return 1 if broken else 0


def run(name: str, arguments: Sequence[str], lines: list[str]) -> bool:
    """Run one benchmark, showing its output and collecting its figures; whether it came to its end."""
    command = [sys.executable, "-m", name, *arguments]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            print(line, end="", flush=True)
            if is_figure(line):
                lines.append(line.rstrip("\n"))
    return child.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
