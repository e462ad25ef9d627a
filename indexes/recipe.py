"""What besides the words decides an index: our own code and the libraries that make it. Another recipe, and nothing made by the old one is reused."""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_INDEXES = Path(__file__).parent
_KNOWLEDGE = _INDEXES.parent / "knowledge"
_EMBEDDING = ("embedder.py", "classifier.py", "model_files.py")
_STORING = ("approximate_index.py", "byte_rows.py", "large_lexical_index.py", "lexical_index.py", "reply_keys.py", "stored_replies.py")
_LIBRARIES = ("numpy", "tokenizers", "safetensors", "opencc", "faiss-cpu", "bm25s", "sentence-transformers", "transformers", "torch")


@cache
def embedding_recipe() -> str:
    """Of the way from a text to its vectors."""
    return recipe_of([*(_INDEXES / name for name in _EMBEDDING), _KNOWLEDGE / "normalise.py"], _LIBRARIES)


@cache
def storing_recipe() -> str:
    """Of the way from a reply to its rows in a large shop's index: a change here builds its base anew."""
    own, known = (*_EMBEDDING, *_STORING), ("normalise.py", "templates.py", "records.py", "frozen.py")
    files = [*(_INDEXES / name for name in own), *(_KNOWLEDGE / name for name in known)]
    return recipe_of(files, _LIBRARIES)


@cache
def reading_recipe() -> str:
    """Of the way from a row of the shop's files to a record that was found right."""
    return recipe_of(_KNOWLEDGE.glob("*.py"), ("pydantic", "jinja2", "common-expression-language"))


@cache
def building_recipe() -> str:
    """Of the whole way from a shop's files to a snapshot."""
    return recipe_of([*_INDEXES.glob("*.py"), *_KNOWLEDGE.glob("*.py")], _LIBRARIES)


def recipe_of(files: Iterable[Path], libraries: Iterable[str]) -> str:
    """Gives a digest of the files' names and contents and the libraries' versions."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.parent.name}/{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    for name in libraries:
        digest.update(f"{name}={_version(name)}\0".encode())
    return digest.hexdigest()[:16]


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"
