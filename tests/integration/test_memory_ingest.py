"""Ingest: what it takes, what it costs, and what remains when it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rag.errors import ModelUnavailable
from rag.ingesting import BATCH, Progress, ingest
from rag.model import EmbeddingBatch
from rag.sources import KnowledgeFolderError
from store import embedding_space, knowledge
from store.doors import Store
from store.embedding_space import Space
from store.errors import StoreMisconfigured
from store.knowledge import StoredChunk
from store.memory.embedded import EmbeddedMemory
from store.memory.index import Query
from store.vectors import Vector, unit
from tests.contract.memory import new_customer, said, words

ROOT = Path(__file__).parents[2]


class FakeEmbedder:
    """Counts what it is asked for; the vector's direction depends on text and model."""

    def __init__(
        self, model: str = "fake-small", dimensions: int = 8, *, fail_after: int | None = None
    ) -> None:
        self.model = model
        self.dimensions = dimensions
        self.batches: list[list[str]] = []
        self._fail_after = fail_after

    async def embed(self, texts: Sequence[str]) -> EmbeddingBatch:
        if self._fail_after is not None and len(self.batches) >= self._fail_after:
            raise ModelUnavailable("the model is down")
        self.batches.append(list(texts))
        return EmbeddingBatch(vectors=[self.vector(text) for text in texts], tokens=len(texts))

    def vector(self, text: str) -> Vector:
        seed = sum(text.encode()) + len(self.model)
        return unit([((seed * (place + 3)) % 17) - 8.5 for place in range(self.dimensions)])

    @property
    def texts(self) -> list[str]:
        return [text for batch in self.batches for text in batch]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    write_faq(made, {"garansi": "Satu tahun, Kak.", "ongkir": "Gratis se-Klaten, Kak."})
    (made / "panduan.md").write_text("# Panduan\n\nCabut kabel router sebelum dipindah.\n", encoding="utf-8")
    return made


def write_faq(folder: Path, answers: dict[str, str]) -> None:
    entries = [{"id": id, "question": f"Soal {id}?", "answer": answer} for id, answer in answers.items()]
    (folder / "faq_data.json").write_text(json.dumps(entries), encoding="utf-8")


async def stored(store: Store) -> dict[str, StoredChunk]:
    return {chunk.id: chunk for chunk in await store.read(knowledge.load_all)}


async def test_a_folder_becomes_the_shop_s_knowledge(store: Store, folder: Path) -> None:
    embedder = FakeEmbedder()
    report = await ingest(store, folder, embedder)
    assert (report.generation.generation, report.generation.added, report.embedded) == (1, 3, 3)
    assert report.tokens == 3
    assert {file.path: file.taken for file in report.files} == {"faq_data.json": 2, "panduan.md": 1}
    chunks = await stored(store)
    assert set(chunks) == {"faq:garansi", "faq:ongkir", "panduan:1"}
    assert chunks["faq:garansi"].answer == "Satu tahun, Kak."
    assert all((one.model, one.dimensions) == ("fake-small", 8) for one in chunks.values())
    assert await store.read(embedding_space.stored) == Space(model="fake-small", dimensions=8)


async def test_a_second_run_embeds_nothing_and_changes_nothing(store: Store, folder: Path) -> None:
    await ingest(store, folder, FakeEmbedder())
    again = FakeEmbedder()
    report = await ingest(store, folder, again)
    assert again.batches == []
    assert (report.embedded, report.generation.generation, report.generation.unchanged) == (0, 1, 3)


async def test_only_what_changed_is_embedded_again(store: Store, folder: Path) -> None:
    await ingest(store, folder, FakeEmbedder())
    write_faq(folder, {"garansi": "Dua tahun, Kak.", "jam": "08.00 sampai 17.00, Kak."})
    again = FakeEmbedder()
    report = await ingest(store, folder, again)
    assert len(again.texts) == report.embedded == 2
    assert (report.generation.added, report.generation.changed, report.generation.removed) == (1, 1, 1)
    chunks = await stored(store)
    assert set(chunks) == {"faq:garansi", "faq:jam", "panduan:1"}
    assert all(one.vector is not None for one in chunks.values())


async def test_texts_are_embedded_in_batches_and_the_progress_is_told(store: Store, folder: Path) -> None:
    write_faq(folder, {f"soal-{number}": f"Jawaban {number}." for number in range(2 * BATCH)})
    embedder = FakeEmbedder()
    told: list[Progress] = []
    await ingest(store, folder, embedder, on_progress=told.append)
    assert [len(batch) for batch in embedder.batches] == [BATCH, BATCH, 1]
    assert [(one.stage, one.done, one.total) for one in told] == [
        ("pengetahuan", BATCH, 2 * BATCH + 1),
        ("pengetahuan", 2 * BATCH, 2 * BATCH + 1),
        ("pengetahuan", 2 * BATCH + 1, 2 * BATCH + 1),
    ]


async def test_words_alone_need_no_model_and_keep_the_vectors_that_are_there(
    store: Store, folder: Path
) -> None:
    await ingest(store, folder, FakeEmbedder())
    write_faq(folder, {"garansi": "Satu tahun, Kak.", "ongkir": "Rp10.000, Kak."})
    await ingest(store, folder, None)
    chunks = await stored(store)
    assert chunks["faq:garansi"].vector is not None
    assert chunks["faq:ongkir"].vector is None
    back = FakeEmbedder()
    assert (await ingest(store, folder, back)).embedded == 1


async def test_a_model_that_fails_half_way_leaves_the_old_knowledge_whole(store: Store, folder: Path) -> None:
    await ingest(store, folder, FakeEmbedder())
    before = await stored(store)
    write_faq(folder, {f"soal-{number}": f"Jawaban {number}." for number in range(2 * BATCH)})
    with pytest.raises(ModelUnavailable):
        await ingest(store, folder, FakeEmbedder(fail_after=1))
    assert await stored(store) == before
    assert await store.read(knowledge.current_generation) == 1


@pytest.mark.parametrize("state", ["missing", "empty", "nothing readable"])
async def test_a_folder_that_gives_nothing_leaves_the_old_knowledge_whole(
    store: Store, folder: Path, tmp_path: Path, state: str
) -> None:
    await ingest(store, folder, None)
    before = await stored(store)
    other = tmp_path / "lain"
    if state != "missing":
        other.mkdir()
    if state == "nothing readable":
        (other / "lain_faq.json").write_text("[{", encoding="utf-8")
    with pytest.raises(KnowledgeFolderError):
        await ingest(store, other, None)
    assert await stored(store) == before


async def test_a_file_that_cannot_be_read_keeps_what_it_gave_before(store: Store, folder: Path) -> None:
    await ingest(store, folder, FakeEmbedder())
    (folder / "faq_data.json").write_text('[{"question": "setengah', encoding="utf-8")
    report = await ingest(store, folder, FakeEmbedder())
    assert report.kept_files == ["faq_data.json"]
    assert any(file.problems for file in report.files)
    assert set(await stored(store)) == {"faq:garansi", "faq:ongkir", "panduan:1"}


async def test_a_file_that_is_gone_is_forgotten(store: Store, folder: Path) -> None:
    await ingest(store, folder, None)
    (folder / "faq_data.json").unlink()
    report = await ingest(store, folder, None)
    assert report.kept_files == []
    assert set(await stored(store)) == {"panduan:1"}


async def test_a_running_memory_swaps_to_what_was_ingested(store: Store, folder: Path) -> None:
    memory = EmbeddedMemory(store)
    await memory.open()
    embedder = FakeEmbedder()
    await ingest(store, folder, embedder)
    await memory.catch_up()
    [first, *_] = await memory.search(words("garansi"), limit=3)
    assert first.id == "faq:garansi"
    chunks = await stored(store)
    query = Query(texts=("zzz",), vectors=(embedder.vector(chunks["panduan:1"].embed_text),))
    [first, *_] = await memory.search(query, limit=3)
    assert first.id == "panduan:1"
    assert first.similarity == pytest.approx(1, abs=0.01)


# Another model


async def test_another_model_is_refused_before_anything_is_paid(store: Store, folder: Path) -> None:
    await ingest(store, folder, FakeEmbedder())
    other = FakeEmbedder("fake-large", 16)
    with pytest.raises(StoreMisconfigured, match="--reembed"):
        await ingest(store, folder, other)
    assert other.batches == []


async def test_reembed_moves_knowledge_and_turns_to_the_new_model(store: Store, folder: Path) -> None:
    await ingest(store, folder, FakeEmbedder())
    customer = await new_customer(store)
    await said(store, customer, *[f"pertanyaan {number}" for number in range(BATCH + 5)])
    new = FakeEmbedder("fake-large", 16)
    told: list[Progress] = []
    report = await ingest(store, folder, new, reembed=True, on_progress=told.append)
    assert (report.embedded, report.embedded_turns) == (3, BATCH + 5)
    assert [(one.done, one.total) for one in told if one.stage == "percakapan"] == [
        (BATCH, BATCH + 5),
        (BATCH + 5, BATCH + 5),
    ]
    assert await store.read(embedding_space.stored) == Space(model="fake-large", dimensions=16)
    memory = EmbeddedMemory(store)
    await memory.open()
    assert memory.vector_count == 3
    query = Query(texts=("zzz",), vectors=(new.vector("pertanyaan 3"),))
    found = await memory.recall(customer_id=customer, query=query, before_turn=None, limit=99)
    assert new.vector(found[0].asked) == pytest.approx(new.vector("pertanyaan 3"))


async def test_reembed_goes_on_where_it_broke_off(store: Store, folder: Path) -> None:
    await ingest(store, folder, FakeEmbedder())
    customer = await new_customer(store)
    await said(store, customer, *[f"pertanyaan {number}" for number in range(3 * BATCH)])
    with pytest.raises(ModelUnavailable):
        # One batch for the knowledge, one for turns.
        await ingest(store, folder, FakeEmbedder("fake-large", fail_after=2), reembed=True)
    assert await store.read(embedding_space.stored) == Space(model="fake-small", dimensions=8)
    rest = FakeEmbedder("fake-large")
    report = await ingest(store, folder, rest, reembed=True)
    assert report.embedded_turns == 2 * BATCH
    assert await store.read(embedding_space.stored) == Space(model="fake-large", dimensions=8)


# The command


class _Refusing(BaseHTTPRequestHandler):
    """OpenAI's answers to a wrong key and to an unknown model, by the name of the model that is asked for."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        unknown = body["model"] == "tidak-ada"
        code = "model_not_found" if unknown else "invalid_api_key"
        answer = json.dumps({"error": {"message": code, "code": code}}).encode()
        self.send_response(404 if unknown else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        """Silent: the output of the tests is for the tests."""


@pytest.fixture
def refusing_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def run(module: str, *arguments: str, tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with the least settings."""
    settings = {
        "OPENAI_API_KEY": "sk-percobaan",
        "SHOP_NAME": "Toko Uji",
        "STATE_DIR": str(tmp_path / "var"),
        "DATA_DIR": str(tmp_path / "data"),
        "EMBEDDING_MODEL": "off",
    }
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", module, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | settings | environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_reports_in_the_owner_s_language(tmp_path: Path, folder: Path) -> None:
    (folder / "katalog.csv").write_text("kode,nama,harga\nIH20,Paket 20,275000\nIH50,Paket 50,150rb\n")
    first = run("rag.ingest", str(folder), tmp_path=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "katalog.csv: 1 potongan diambil" in first.stdout
    assert "Selesai: 4 baru" in first.stdout
    assert "150rb" in first.stderr
    second = run("rag.ingest", "--quiet", tmp_path=tmp_path)
    assert (second.returncode, second.stdout) == (0, "")
    assert "150rb" in second.stderr
    third = run("rag.ingest", "--jsonl", tmp_path=tmp_path)
    *files, done = [json.loads(line) for line in third.stdout.splitlines()]
    assert {file["path"] for file in files} == {"faq_data.json", "katalog.csv", "panduan.md"}
    assert (done["event"], done["unchanged"], done["embedded"]) == ("done", 4, 0)
    rebuilt = run("store.memory", "rebuild", tmp_path=tmp_path)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "generasi 1, 4 potongan, 0 di antaranya dengan vektor" in rebuilt.stdout


@pytest.mark.parametrize(
    ("model", "named"), [("salah-kunci", "OPENAI_API_KEY"), ("tidak-ada", "EMBEDDING_MODEL")]
)
def test_a_refused_key_or_model_says_what_to_do_and_changes_nothing(
    tmp_path: Path, folder: Path, refusing_server: str, model: str, named: str
) -> None:
    result = run(
        "rag.ingest",
        str(folder),
        tmp_path=tmp_path,
        OPENAI_BASE_URL=refusing_server,
        EMBEDDING_MODEL=model,
    )
    assert result.returncode == 2
    assert named in result.stderr
    assert "pengetahuan yang lama tetap dipakai" in result.stderr
    assert "Traceback" not in result.stderr
    assert "generasi 0, 0 potongan" in run("store.memory", "rebuild", tmp_path=tmp_path).stdout


def test_a_model_that_is_down_is_tried_again_later(tmp_path: Path, folder: Path) -> None:
    result = run(
        "rag.ingest",
        tmp_path=tmp_path,
        OPENAI_BASE_URL="http://127.0.0.1:9/v1",
        EMBEDDING_MODEL="text-embedding-3-small",
    )
    assert result.returncode == 1
    assert "Coba lagi" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "environ", "said_why"),
    [
        (("tidak-ada",), {}, "tidak-ada"),
        ((), {"OPENAI_API_KEY": ""}, "OPENAI_API_KEY"),
        (("--reembed",), {}, "EMBEDDING_MODEL"),
    ],
)
def test_what_somebody_must_change_ends_with_2_and_no_traceback(
    tmp_path: Path, folder: Path, arguments: tuple[str, ...], environ: dict[str, str], said_why: str
) -> None:
    result = run("rag.ingest", *arguments, tmp_path=tmp_path, **environ)
    assert result.returncode == 2
    assert said_why in result.stderr
    assert "Traceback" not in result.stderr
