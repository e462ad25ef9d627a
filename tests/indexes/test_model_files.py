import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from indexes.embedder import BUNDLED_MODEL, StaticEmbedder
from indexes.errors import ModelUnavailable
from indexes.model_files import ModelFiles, Prompts, find_model, prompts_of

ROOT = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {"modules.json": b"[]", "model.safetensors": b"weights", "pytorch_model.bin": b"again", "2_Dense/pytorch_model.bin": b"more", "onnx/model.onnx": b"x"}
fetches = pytest.mark.skipif(find_spec("sentence_transformers") is None, reason="models are only fetched for a reader that is installed")
E5 = Prompts(query="query: ", document="passage: ")
BGE_ZH = Prompts(query="为这个句子生成表示以用于检索相关文章：")
BGE_EN = Prompts(query="Represent this sentence for searching relevant passages: ")
SAME_SEARCH = Prompts(query="Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ")


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a download asks for."""

    def do_GET(self) -> None:
        if "/tree/" in self.path:
            self.answer(json.dumps([{"type": "file", "path": name, "size": len(content), "oid": "0" * 40} for name, content in FILES.items()]).encode())
        elif self.path.startswith("/api/models/shop/small"):
            self.answer(json.dumps({"id": "shop/small", "sha": COMMIT, "siblings": [{"rfilename": name} for name in FILES]}).encode())
        else:
            self.answer(FILES.get(self.path.removeprefix(f"/shop/small/resolve/{COMMIT}/")))

    do_HEAD = do_GET

    def answer(self, content: bytes | None) -> None:
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.send_header("ETag", f'"{sha256(content or b"").hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content or b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def hub() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def find_elsewhere(model: str, *, home: Path, endpoint: str, offline: bool = False) -> dict[str, str]:
    """Finds the model in a process of its own: the library reads its settings once, when it is imported."""
    source = (
        "import json, sys\nfrom indexes.errors import ModelUnavailable\nfrom indexes.model_files import find_model\n"
        "try:\n    files = find_model(sys.argv[1])\n    print(json.dumps({'folder': str(files.folder), 'model_id': files.model_id}))\n"
        "except ModelUnavailable as error:\n    print(json.dumps({'error': str(error), 'reason': error.reason}))\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "SENTENCE_TRANSFORMERS", "TRANSFORMERS"))}
    environment |= {"HF_HOME": str(home), "HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": str(int(offline)), "NO_PROXY": "*", "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run([sys.executable, "-c", source, model], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("name", "prompts"),
    [
        ("intfloat/e5-small-v2", E5),
        ("intfloat/multilingual-e5-base", E5),
        ("Multilingual_E5_Large", E5),
        ("intfloat/multilingual-e5-large-instruct", SAME_SEARCH),
        ("BAAI/bge-small-zh-v1.5", BGE_ZH),
        ("baai/BGE-Large-ZH", BGE_ZH),
        ("bge-base-en-v1.5", BGE_EN),
        ("BAAI/bge-large-zh-noinstruct", Prompts()),
        ("BAAI/bge-m3", Prompts()),
        ("sentence-transformers/all-MiniLM-L6-v2", Prompts()),
        ("e5-base/minilm", Prompts()),
    ],
)
def test_a_model_published_without_prompts_gets_those_of_its_card(name: str, prompts: Prompts):
    assert prompts_of(name, {"query": "", "document": ""}) == prompts


@pytest.mark.parametrize(
    ("configured", "prompts"),
    [
        ({"query": "ask: ", "document": "say: "}, Prompts("ask: ", "say: ")),
        ({"query": "ask: ", "document": ""}, Prompts("ask: ")),
        ({"query": "ask: ", "document": "", "passage": "say: "}, Prompts("ask: ", "say: ")),
        ({"query": "", "document": "", "corpus": "say: "}, Prompts("", "say: ")),
    ],
    ids=["both", "query only", "passage behind the library's empty document", "corpus"],
)
def test_a_models_own_prompts_go_before_the_published_ones(configured: dict[str, str], prompts: Prompts):
    assert prompts_of("intfloat/e5-small-v2", configured) == prompts


def test_a_folders_revision_is_the_hash_of_its_weights_and_changes_with_them(tmp_path: Path):
    (tmp_path / "mine" / "2_Dense").mkdir(parents=True)
    weights = tmp_path / "mine" / "model.safetensors"
    weights.write_bytes(b"one")
    alone = find_model(str(tmp_path / "mine")).model_id

    (tmp_path / "mine" / "2_Dense" / "model.safetensors").write_bytes(b"two")

    assert alone == f"mine@{sha256(b'one').hexdigest()[:12]}"
    assert find_model(str(tmp_path / "mine")).model_id == f"mine@{sha256(b'twoone').hexdigest()[:12]}"


def test_a_static_model_has_one_name_however_it_is_read():
    assert find_model(str(BUNDLED_MODEL)).model_id == StaticEmbedder(BUNDLED_MODEL).model_id


def test_a_folder_of_the_hubs_cache_has_the_hubs_name_and_commit(tmp_path: Path):
    folder = tmp_path / "models--BAAI--bge-small-zh-v1.5" / "snapshots" / COMMIT
    folder.mkdir(parents=True)

    files = find_model(str(folder))

    assert files == ModelFiles(folder, name="BAAI/bge-small-zh-v1.5", commit=COMMIT)
    assert files.model_id == "BAAI/bge-small-zh-v1.5@0123456789ab"


@pytest.mark.parametrize("model", ["/no/such/folder", "./a/b/c", "no such model"])
def test_what_cannot_be_a_hub_id_is_a_missing_folder(model: str):
    with pytest.raises(ModelUnavailable) as raised:
        find_model(model)

    assert raised.value.reason == f"there is no folder {Path(model).absolute()}"


@fetches
def test_a_model_is_fetched_once_and_then_found_without_a_network(tmp_path: Path):
    with hub() as endpoint:
        fetched = find_elsewhere("shop/small", home=tmp_path, endpoint=endpoint)

    found = find_elsewhere("shop/small", home=tmp_path, endpoint=endpoint, offline=True)

    assert fetched == found == {"folder": str(tmp_path / "hub" / "models--shop--small" / "snapshots" / COMMIT), "model_id": "shop/small@0123456789ab"}
    held = {path.relative_to(found["folder"]).as_posix() for path in Path(found["folder"]).rglob("*") if path.is_file()}
    assert held == {"modules.json", "model.safetensors", "2_Dense/pytorch_model.bin"}  # the same weights in other formats stay there


@fetches
def test_a_model_the_hub_does_not_have_is_unavailable_and_says_so(tmp_path: Path):
    with hub() as endpoint:
        found = find_elsewhere("shop/other", home=tmp_path, endpoint=endpoint)

    assert "404" in found["reason"]


@fetches
@pytest.mark.parametrize("offline", [False, True])
def test_without_a_network_it_says_within_seconds_where_it_looked_and_what_to_do(tmp_path: Path, offline: bool):
    """A port that takes connections and never answers: what a firewall does. With HF_HUB_OFFLINE it must not even be tried."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0)
        started = time.monotonic()
        found = find_elsewhere("BAAI/bge-small-zh-v1.5", home=tmp_path, endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}", offline=offline)
        took_s = time.monotonic() - started
        if offline:
            with pytest.raises(BlockingIOError):
                silent.accept()

    assert took_s < 20
    assert ("HF_HUB_OFFLINE is set" if offline else "timed out") in found["reason"]
    assert f"not in the cache {tmp_path / 'hub'}" in found["reason"]
    assert "`hf download BAAI/bge-small-zh-v1.5 --local-dir bge-small-zh-v1.5`" in found["error"]
    assert "set SUGGEST_MODEL to a folder" in found["error"]
