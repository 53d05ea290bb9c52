"""The stand-in as a process: how it starts, is controlled, and ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from openai import OpenAI

from sandbox.openai import OpenAIStandInProcess

PROJECT = Path(__file__).resolve().parents[3]


def test_it_answers_is_controlled_and_records_to_a_file(tmp_path: Path) -> None:
    record = tmp_path / "bodies.jsonl"
    with OpenAIStandInProcess(models=["model-x"], record_file=record) as server:
        with OpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
            client.embeddings.create(model="model-x", input=["roti"], dimensions=8)
        assert server.control(mode="500", for_="chat", count=1)["mode"] == "500"
        assert server.state()["rules"][0]["for"] == "chat"
        assert server.requests()["by_endpoint"] == {"/v1/embeddings": 1}
        line = json.loads(record.read_text(encoding="utf-8"))
        assert line["endpoint"] == "/v1/embeddings"
        assert line["body"]["input"] == ["roti"]
        server.reset_requests()
        assert server.requests()["total"] == 0
        assert server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_writes_its_address_and_stops_cleanly_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "sandbox.openai", "--ready-file", str(ready)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line.startswith("sandbox openai ready http://127.0.0.1:")
        assert ready.read_text(encoding="utf-8").strip() == line.split()[-1]
        child.send_signal(number)
        assert child.wait(10) == 0


def test_it_ends_with_a_parent_that_was_killed() -> None:
    parent_code = (
        "import time\nfrom sandbox.openai import OpenAIStandInProcess\n"
        "with OpenAIStandInProcess() as s:\n    print(s.pid, flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", parent_code]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


_DRAINS = """
import signal, time
from sandbox.openai import OpenAIStandInProcess
# Tests that run in the background inherit that the signal is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
with OpenAIStandInProcess() as server:
    try:
        print("up", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        time.sleep(0.5)  # Longer than a stand-in that was told to stop would take.
        print(server.requests()["total"], flush=True)
"""


def test_ctrl_c_leaves_it_answering_until_its_parent_has_finished() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _DRAINS],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        # As a terminal does it: every process of the foreground group gets the signal.
        os.killpg(parent.pid, signal.SIGINT)
        rest, complaints = parent.communicate(timeout=10)
    assert (rest, complaints, parent.returncode) == ("0\n", "", 0)


def _runs(pid: int) -> bool:
    """Whether the process is there; one that ended but that nobody waited for does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "example.org"])
def test_it_refuses_an_address_that_others_can_reach(host: str) -> None:
    command = [sys.executable, "-m", "sandbox.openai", "--host", host]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "not a loopback address" in done.stderr


def test_a_server_that_cannot_start_is_an_error_in_the_parent(tmp_path: Path) -> None:
    nowhere = tmp_path / "missing" / "bodies.jsonl"
    with (
        pytest.raises(RuntimeError, match="did not start"),
        OpenAIStandInProcess(record_file=nowhere),
    ):
        raise AssertionError("it must not get here")


def test_each_token_costs_the_latency_that_was_set() -> None:
    with (
        OpenAIStandInProcess(latency_ms_per_token=20) as server,
        OpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client,
    ):
        started = time.monotonic()
        made = client.chat.completions.create(
            model="gpt-5.4-mini", messages=[{"role": "user", "content": "halo"}]
        )
        assert made.usage is not None
        assert time.monotonic() - started >= 0.02 * made.usage.completion_tokens
