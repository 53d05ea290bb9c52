import os
import subprocess
import sys

from bench.questions import PROJECT

# In a process of its own: neonize's import changes the root logger and the environment.
_ANSWERS = """
import asyncio
from types import SimpleNamespace as N
from bench.baselines.bare_ai_bot import BareAnswers

seen = []
async def embed(**body): seen.append(("embedding", body["input"]))
async def chat(**body):
    seen.append(("chat", body["messages"][-1]["content"]))
    return N(choices=[N(message=N(content="jawaban"))])
client = N(embeddings=N(create=embed), chat=N(completions=N(create=chat)))

async def main():
    alone = BareAnswers(client, [])
    assert await alone.answer("harga?") == "jawaban"
    recorded = ({"input": "tercatat"}, {"messages": [{"content": "tercatat"}]})
    replaying = BareAnswers(client, [recorded])
    assert await replaying.answer("harga?") == "jawaban"
    assert await replaying.answer("stok?") == "jawaban"
asyncio.run(main())
assert seen == [
    ("embedding", "harga?"), ("chat", "harga?"),
    ("embedding", "tercatat"), ("chat", "tercatat"),
    ("embedding", "tercatat"), ("chat", "tercatat"),
], seen
"""


def test_every_answer_is_one_embedding_and_one_chat_call_recorded_or_of_the_message_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ANSWERS],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
