"""Starting vectors for a table: a small English transformer's vectors of each piece's translations, from CC-CEDICT.

Gives the static model a sense of meaning before it has seen a pair, and puts both languages into one space. Training only.
"""

import gzip
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

from indexes.embedder import unit
from indexes.training import StartingTable, Table

_ENTRY = re.compile(r"^(\S+) (\S+) \[[^\]]*\] /(.*)/\s*$")
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]|CL:\S+|[一-鿿|]+")
_MOST_GLOSSES = 4
_LENGTH = 3.2  # of a starting vector: that of the random start's rows, so that one learning rate serves both


def read_glosses(cedict: Path) -> dict[str, str]:
    """Gives simplified word → its first translations, joined. Proper names and variants without translation fall out."""
    found: dict[str, list[str]] = defaultdict(list)
    with gzip.open(cedict, mode="rt", encoding="utf-8") as lines:
        for line in lines:
            entry = _ENTRY.match(line)
            if entry:
                glosses = (_ASIDE.sub(" ", gloss).strip(" ,;") for gloss in entry[3].split("/"))
                found[entry[2]] += [gloss for gloss in glosses if gloss and not gloss.startswith(("variant of", "surname", "old variant"))]
    return {word: "; ".join(glosses[:_MOST_GLOSSES]) for word, glosses in found.items() if glosses}


def dictionary_start(cedict: Path, model_dir: Path) -> StartingTable:
    """Gives the function that makes the table: pieces found in the dictionary, English pieces as they are, others from their characters.

    Args:
        cedict: CC-CEDICT, gzipped.
        model_dir: a sentence-transformers folder whose model understands English.
    """
    model = SentenceTransformer(str(model_dir), device="cpu")

    def start(tokenizer: Tokenizer, dimension: int) -> Table:
        glosses = read_glosses(cedict)
        pieces = [piece for piece, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]
        said = {piece: glosses.get(piece) or (piece if re.fullmatch(r"[a-z]{3,}", piece) else "") for piece in pieces}
        known = [piece for piece in pieces if said[piece]]
        vectors = np.asarray(model.encode([said[piece] for piece in known], batch_size=256), dtype=np.float32)
        vectors = _principal(vectors, dimension)
        table = np.zeros((len(pieces), dimension), dtype=np.float32)
        row = {piece: number for number, piece in enumerate(pieces)}
        table[[row[piece] for piece in known]] = vectors
        for piece in pieces:
            parts = [row[char] for char in piece if said.get(char)]
            if not said[piece] and parts:
                table[row[piece]] = table[parts].mean(axis=0)
        return np.asarray(unit(table) * _LENGTH, dtype=np.float32)

    return start


def _principal(vectors: Table, dimension: int) -> Table:
    """The leading principal components, the strongest first: what Matryoshka widths cut off matters least."""
    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(centred @ directions[:dimension].T, dtype=np.float32)
