"""What is known of another embedding model before it is read: its folder, its revision, the prompts that its authors published.

A model is looked for in a folder, then in the hub's cache, and only then on the network: a machine without one must say so at once.
"""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from indexes.errors import ModelUnavailable

_NETWORK_TIMEOUT_S = 5.0
_HUB_ID = re.compile(r"[\w.-]+(?:/[\w.-]+)?")
_SNAPSHOT = re.compile(r"models--(?P<name>[^/\\]+)[/\\]snapshots[/\\](?P<commit>[0-9a-f]{40})$")  # the hub's cache names folders so
_WEIGHTS = (".safetensors", ".bin")
_OTHER_RUNTIMES = ["onnx/*", "openvino/*", "*.onnx", "*.gguf", "*.h5", "*.ot", "*.msgpack", "*.tflite"]  # the same weights again
NOT_INSTALLED = "sentence-transformers is not installed: pip install 'huashu[models]'"


class Prompts(NamedTuple):
    """What stands before each text."""

    query: str = ""
    document: str = ""


# For models that were published without prompts in their configuration; the first pattern found in the name counts. Names are lower case with hyphens.
# Sources (read 2026-11): model cards intfloat/e5-base-v2, intfloat/multilingual-e5-{small,large,large-instruct} («Each input text should start with
# "query: " or "passage: "»; instruct: queries only), BAAI/bge-{small,base,large}-{zh,en}-v1.5 (instruction for queries only). bge-m3 and -noinstruct need none.
_PUBLISHED: tuple[tuple[re.Pattern[str], Prompts], ...] = (
    (re.compile(r"\be5-.*instruct"), Prompts(query="Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ")),
    (re.compile(r"\be5-(?:small|base|large)\b"), Prompts(query="query: ", document="passage: ")),
    (re.compile(r"\bbge-(?:small|base|large)-zh\b(?!-noinstruct)"), Prompts(query="为这个句子生成表示以用于检索相关文章：")),
    (re.compile(r"\bbge-(?:small|base|large)-en\b"), Prompts(query="Represent this sentence for searching relevant passages: ")),
)


def prompts_of(name: str, configured: dict[str, str]) -> Prompts:
    """Gives the prompts of a model's own configuration, else those published for its name, else none.

    sentence-transformers fills in an empty «document», which hides a configured «passage»; so the first that says something counts.
    """
    document = next((configured[key] for key in ("document", "passage", "corpus") if configured.get(key)), "")
    own = Prompts(query=configured.get("query") or "", document=document)
    if any(own):
        return own
    plain = name.rsplit("/", 1)[-1].lower().replace("_", "-")
    return next((prompts for pattern, prompts in _PUBLISHED if pattern.search(plain)), own)


@dataclass(frozen=True)
class ModelFiles:
    """A model on this machine."""

    folder: Path
    name: str  # the hub id, or the folder's name
    commit: str = ""  # of the hub; empty for a folder

    @cached_property
    def model_id(self) -> str:
        """Gives the name with its revision, so that a changed model does not search an older one's vectors."""
        return f"{self.name}@{(self.commit or self._weights_hash())[:12]}"

    def _weights_hash(self) -> str:
        hashed = sha256()
        for path in weight_files(self.folder):
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    hashed.update(block)
        return hashed.hexdigest()


def weight_files(folder: Path) -> list[Path]:
    """Gives the files of a model's weights, also of its later modules, in one order everywhere."""
    found = [path for path in folder.rglob("*") if path.suffix in _WEIGHTS and path.parent.name not in ("onnx", "openvino")]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def find_model(model: str) -> ModelFiles:
    """Gives the files of a folder or hub id; fetches them when a network is there and allowed.

    Raises:
        ModelUnavailable: it is not on this machine and cannot be fetched.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return _in_folder(folder.absolute())
    if not _HUB_ID.fullmatch(model):
        raise ModelUnavailable(model, f"there is no folder {folder.absolute()}")
    hub_id = model if "/" in model else f"sentence-transformers/{model}"
    return _cached(hub_id) or _fetched(hub_id)


def _in_folder(folder: Path) -> ModelFiles:
    snapshot = _SNAPSHOT.search(str(folder))
    if snapshot:
        return ModelFiles(folder, name=snapshot["name"].replace("--", "/"), commit=snapshot["commit"])
    return ModelFiles(folder, name=folder.name)


def _cache_dir() -> Path:
    from huggingface_hub import constants

    return Path(os.environ.get("SENTENCE_TRANSFORMERS_HOME") or constants.HF_HUB_CACHE)


def _cached(hub_id: str) -> ModelFiles | None:
    from huggingface_hub import try_to_load_from_cache

    for name in ("modules.json", "config.json"):
        found = try_to_load_from_cache(hub_id, name, cache_dir=_cache_dir())
        if isinstance(found, str) and weight_files(Path(found).parent):
            return _in_folder(Path(found).parent)
    return None


def _fetched(hub_id: str) -> ModelFiles:
    """Asks once, with a short limit, whether the hub has the model: the library's own downloads try again for minutes without a network."""
    from huggingface_hub import HfApi, is_offline_mode, snapshot_download

    looked = f"there is no such folder, it is not in the cache {_cache_dir()}"
    if is_offline_mode():
        raise ModelUnavailable(hub_id, f"{looked}, and HF_HUB_OFFLINE is set", hub_id=hub_id)
    if find_spec("sentence_transformers") is None:
        raise ModelUnavailable(hub_id, NOT_INSTALLED)
    try:
        names = [file.rfilename for file in HfApi().model_info(hub_id, timeout=_NETWORK_TIMEOUT_S).siblings or []]
        safe = {name.rpartition("/")[0] for name in names if name.endswith(".safetensors")}
        doubled = [name for name in names if name.endswith(".bin") and name.rpartition("/")[0] in safe]
        folder = snapshot_download(hub_id, cache_dir=_cache_dir(), ignore_patterns=[*_OTHER_RUNTIMES, *doubled])
    except Exception as error:  # the libraries raise their own kinds, of several trees
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelUnavailable(hub_id, f"{looked}, and the hub cannot give it: {reason}", hub_id=hub_id) from error
    return _in_folder(Path(folder))
