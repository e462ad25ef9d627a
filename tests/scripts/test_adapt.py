"""The command, then the night's reindex, then the service: a tiny shop with models of its own beside one without."""

import json
import shutil
from pathlib import Path

import pytest

from indexes.adapted import CARD
from indexes.errors import SnapshotIncompatible
from indexes.publish import current_folder, load_current
from scripts.adapt import app
from scripts.reindex import app as reindex_app
from suggest.api import create_app
from suggest.contract import SuggestionRequest
from suggest.live import LiveShops, Models
from suggest.metrics import Metrics
from suggest.settings import Settings
from suggest.watching import IndexWatcher
from tests.fakes import MORNING, write_shop
from tests.scripts.commands import Done, call_command

ODD = "树懒都比这个勤快"  # says nothing of a parcel in any bank


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done, Done]:
    """A folder with `shop/`, `adapted/` and `indexes/`, and what the two commands said."""
    folder = tmp_path_factory.mktemp("night")
    shop = write_shop(folder / "shop")
    accepted = folder / "accepted.jsonl"
    said = [(text, "delay-stalled") for text in ("树懒都比你们快", "你们是树懒吗", "树懒一样磨叽", "雇了一群树懒吧", "这树懒速度")] + [
        ("旧话", "retired-reply")
    ]
    accepted.write_text("".join(json.dumps({"message": text, "reply_id": reply}, ensure_ascii=False) + "\n" for text, reply in said), encoding="utf-8")
    adapted = call_command(app, "--store-dir", shop, "--out", folder / "adapted", "--accepted", accepted, "--json")
    return folder, adapted, reindex(folder)


def reindex(folder: Path) -> Done:
    return call_command(reindex_app, "--store-dir", folder / "shop", "--index-dir", folder / "indexes", "--adapted", folder / "adapted", "--json")


def test_the_report_says_what_was_learnt_from_and_what_could_not_be_measured(night: tuple[Path, Done, Done]):
    folder, adapted, _ = night

    card = json.loads((folder / "adapted" / "tiny" / CARD).read_text(encoding="utf-8"))

    report = json.loads(adapted.stdout)
    assert (adapted.code, report["status"], report["store"]) == (0, "adapted", "tiny")
    assert report["counts"] == {"labelled": 0, "accepted": 10, "triggers": 2, "used": 12, "messages": 0}
    assert report["general"]["embedding"]["before"] - report["general"]["embedding"]["after"] <= report["general"]["embedding"]["bound"] == 0.01
    assert report["general"]["needs"] is None
    assert [note.split(":")[0] for note in report["notes"][:2]] == ["the need classifier stays as it is", "not measured"]
    assert report["notes"][2].startswith("1 accepted suggestions name a reply that is not an approved one")
    assert card == {name: value for name, value in report.items() if name != "status"} | {"format_version": 1, "models": card["models"]}


def test_the_reindex_uses_the_shops_own_models_and_the_snapshot_carries_them(night: tuple[Path, Done, Done], models: Models):
    folder, _, done = night

    snapshot = load_current(folder / "indexes" / "tiny", embedder=models.embedder, needs_model_id=models.reader.needs.model_id)

    assert (done.code, json.loads(done.stdout)["adapted"], done.stderr) == (0, True, "")
    assert snapshot.adapted is not None
    assert snapshot.manifest.model_id == snapshot.adapted.embedder.model_id != models.embedder.model_id
    assert snapshot.manifest.adapted_from == {"embedding": models.embedder.model_id, "needs": models.reader.needs.model_id}
    assert {"models/embedding/model.safetensors", "models/embedding/tokenizer.json", "models/needs/model.safetensors"} <= set(snapshot.manifest.files)


def test_the_service_hears_each_shop_with_its_own_models(night: tuple[Path, Done, Done], models: Models, tmp_path: Path):
    """The same words: the shop that accepted such a reply has it nearer than the shop that did not."""
    folder, _, _ = night
    plain = write_shop(tmp_path / "plain")
    (plain / "store.toml").write_text((plain / "store.toml").read_text(encoding="utf-8").replace('"tiny"', '"plain"'), encoding="utf-8")
    shutil.copytree(folder / "indexes", tmp_path / "indexes")
    assert call_command(reindex_app, "--store-dir", plain, "--index-dir", tmp_path / "indexes", "--adapted", folder / "adapted").code == 0

    shops = LiveShops()
    IndexWatcher(tmp_path / "indexes", models, shops, Metrics(lambda: shops.serving), min_confidence=0.0).look()

    nearness, model = {}, {}
    for store in shops.ids:
        suggester = shops.of(store)
        index = suggester.snapshot.key_vectors
        keys = index.search(suggester.embedder.encode_query([ODD]), n_rows=len(index))[0]
        ids = [suggester.snapshot.shop.replies[int(suggester.snapshot.key_reply_rows[row])].id for row in keys.rows]
        nearness[store] = max(float(near) for near, reply in zip(keys.similarities, ids, strict=True) if reply == "delay-stalled")
        model[store] = suggester.suggest(SuggestionRequest(message=ODD, store=store), now=MORNING, request_id="r").model
    assert nearness["tiny"] > nearness["plain"]
    assert model == {"tiny": shops.of("tiny").snapshot.manifest.model_id, "plain": models.embedder.model_id}
    assert model["tiny"] != model["plain"]


def test_search_and_readiness_serve_an_adapted_shop(night: tuple[Path, Done, Done]):
    from fastapi.testclient import TestClient

    folder, _, _ = night
    with TestClient(create_app(Settings(index_dir=folder / "indexes"))) as client:
        found = client.get("/v1/search", params={"q": ODD, "kind": "reply"})
        ready = client.get("/readyz")

    assert (found.status_code, ready.status_code) == (200, 200)
    assert list(ready.json()["shops"]) == ["tiny"]


def test_a_changed_model_in_the_snapshot_is_damage(night: tuple[Path, Done, Done], models: Models, tmp_path: Path):
    folder, _, _ = night
    shutil.copytree(folder / "indexes", tmp_path / "indexes")
    weights = current_folder(tmp_path / "indexes" / "tiny") / "models" / "embedding" / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    shops = LiveShops()
    IndexWatcher(tmp_path / "indexes", models, shops, Metrics(lambda: shops.serving)).look()

    assert [] == shops.ids
    assert f"{weights.name} is damaged" in shops.serving.failing["tiny"].reason


def test_a_snapshot_tuned_from_another_classifier_is_not_served(night: tuple[Path, Done, Done], models: Models):
    folder, _, _ = night

    with pytest.raises(SnapshotIncompatible) as raised:
        load_current(folder / "indexes" / "tiny", embedder=models.embedder, needs_model_id="needs@fitted-again")

    assert (raised.value.field, raised.value.expected, raised.value.got) == ("needs model", "needs@fitted-again", models.reader.needs.model_id)


def test_models_tuned_from_older_ones_are_left_with_a_warning(night: tuple[Path, Done, Done], models: Models, tmp_path: Path):
    folder, _, _ = night
    for name in ("shop", "adapted"):
        shutil.copytree(folder / name, tmp_path / name)
    path = tmp_path / "adapted" / "tiny" / CARD
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**card, "base": {**card["base"], "embedding": "zh-static@older"}}), encoding="utf-8")

    done = reindex(tmp_path)

    assert (done.code, json.loads(done.stdout)["adapted"]) == (0, False)
    assert "run `python -m scripts.adapt` again; the bundled models are used" in done.stderr
    assert load_current(tmp_path / "indexes" / "tiny", embedder=models.embedder).adapted is None


def test_bad_lines_stop_the_command_and_nothing_is_written(tmp_path: Path):
    accepted = tmp_path / "accepted.jsonl"
    accepted.write_text('{"message": "票呢"}\nno json\n', encoding="utf-8")

    done = call_command(app, "--store-dir", write_shop(tmp_path / "shop"), "--out", tmp_path / "adapted", "--accepted", accepted)

    assert done.code == 1
    assert "accepted.jsonl:1 reply_id" in done.stderr
    assert "accepted.jsonl:2 " in done.stderr
    assert not (tmp_path / "adapted").exists()
