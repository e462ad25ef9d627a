from datetime import datetime

import pytest

from indexes.snapshot import Snapshot
from knowledge.chats import LabelledChat
from suggest.baselines import BM25, BM25_CONDITIONS, DENSE_CONDITIONS, Baselines
from suggest.eligibility import Eligibility
from suggest.errors import InvalidSettings
from suggest.pipeline import Suggester
from suggest.systems import SystemSpec, parse_spec

NOW = datetime.fromisoformat("2026-11-21T10:00:00+08:00")


def test_baselines_with_conditions_leave_out_what_the_order_rules_out(demo_snapshot: Snapshot, demo_suggester: Suggester) -> None:
    """«Where is my parcel» of an unpaid order: nothing that needs a shipped one, and what holds before what cannot be decided."""
    asked = LabelledChat.model_validate(
        {
            "id": "c",
            "store": "demo",
            "now": NOW.isoformat(),
            "message": "快递到哪了，怎么还没到",
            "order": {"status": "created"},
            "labels": {"answerable": False},
        }
    )
    eligibility: Eligibility = demo_suggester.judge(asked)
    baselines = Baselines(demo_snapshot, demo_suggester.embedder)
    baselines.observe(asked, eligibility)

    found = {one.system: one.results[0].reply_ids for one in baselines.evaluations()}

    replies = {reply.id: reply for reply in demo_snapshot.shop.replies}
    outcomes = {name: [eligibility.of_reply(replies[one]).outcome.value for one in ids] for name, ids in found.items()}
    assert [BM25, BM25_CONDITIONS, DENSE_CONDITIONS] == list(found)
    assert "false" in outcomes[BM25]
    for name in (BM25_CONDITIONS, DENSE_CONDITIONS):
        assert 3 == len(found[name])
        assert outcomes[name] == sorted(one for one in outcomes[name] if one != "false")  # true before unknown


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("current", SystemSpec()),
        ("min_confidence=0.5", SystemSpec(min_confidence=0.5)),
        (" snapshot = s-1 , ranker=r.json,model=m", SystemSpec(snapshot="s-1", model="m", ranker="r.json")),
    ],
)
def test_spec_is_read(text: str, spec: SystemSpec) -> None:
    assert spec == parse_spec(text)


@pytest.mark.parametrize("text", ["", "snapshot", "snapshot=", "colour=red", "min_confidence=0.5,min_confidence=0.6", "min_confidence=2", "min_confidence=x"])
def test_bad_spec_says_what_was_expected(text: str) -> None:
    with pytest.raises(InvalidSettings, match="expected"):
        parse_spec(text)
