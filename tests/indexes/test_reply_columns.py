"""Columns over replies: what the records say, found by id, and merged with changed ones as if they had been worked out anew."""

import random

import numpy as np

from indexes.reply_columns import NO, TONES, UNSAID, YES, ReplyColumns, gate_of
from knowledge.records import ProvenReply


def made(number: int, randomly: random.Random) -> ProvenReply:
    return ProvenReply.model_validate(
        {
            "id": f"r-{number:03d}",
            "scenario": randomly.choice(["order.status", "refund.status", f"own.{number % 7}"]),
            "text": "好的。",
            "status": "approved",
            "tone": randomly.choice(TONES),
            "when": randomly.choice(["", 'order.status == "paid"', f"order.total > {number % 5}.0"]),
            "triggers": [f"t{one}" for one in range(randomly.randrange(4))],
            "cites": randomly.sample([f"a{one}" for one in range(9)], randomly.randrange(4)),
            "products": randomly.choice([[], ["家电"], ["P-1", "P-2"]]),
            "authority": randomly.choice(["agent", "lead"]),
            "proactive": randomly.choice([None, True, False]),
            "effective_from": randomly.choice([None, "2026-01-01"]),
        }
    )


def told(columns: ReplyColumns) -> list[tuple[object, ...]]:
    """What the columns say of each reply, in words."""
    cited = [[columns.articles[one] for one in row if one < len(columns.articles)] for row in columns.cites.tolist()]
    return [
        (
            columns.ids[row].decode(),
            int(columns.n_triggers[row]),
            columns.gate(row),
            columns.scenarios[columns.scenario[row]],
            TONES[columns.tone[row]],
            bool(columns.is_lead[row]),
            {YES: True, NO: False, UNSAID: None}[int(columns.proactive[row])],
            tuple(dict.fromkeys(cited[row])),
        )
        for row in range(len(columns))
    ]


def of_records(replies: list[ProvenReply]) -> list[tuple[object, ...]]:
    return [
        (one.id, len(one.triggers), gate_of(one), one.scenario, one.tone, one.authority == "lead", one.proactive, tuple(dict.fromkeys(one.cites)))
        for one in replies
    ]


def test_columns_say_what_the_records_say():
    randomly = random.Random(3)
    replies = [made(number, randomly) for number in range(80)]

    columns = ReplyColumns.of(replies)

    assert told(columns) == of_records(replies)
    assert list(columns.scenarios) == sorted({one.scenario for one in replies})


def test_a_reply_is_found_by_its_id_and_only_by_its_own():
    columns = ReplyColumns.of([made(number, random.Random(number)) for number in (1, 5, 30)])

    assert [columns.row_of(one) for one in ("r-001", "r-005", "r-030")] == [0, 1, 2]
    assert [columns.row_of(one) for one in ("", "r-0", "r-002", "r-0300", "zzz", "人")] == [None] * 6
    assert ReplyColumns.of([]).row_of("r-001") is None


def test_merged_columns_are_those_worked_out_anew():
    """Replies gone, new and edited, with contact reasons, gates and articles that were not there before."""
    randomly = random.Random(11)
    before = [made(number, randomly) for number in range(0, 120, 2)]
    after = sorted([*before[5:40], *(made(number, randomly) for number in (1, 7, 99, 118, 131))], key=lambda one: one.id)
    after = list({one.id: one for one in after}.values())
    known = {one.id: row for row, one in enumerate(before)}
    rows = np.array([known[one.id] if one.id in known and before[known[one.id]] == one else -1 for one in after], dtype=np.int32)
    fresh = [one for one, row in zip(after, rows, strict=True) if row < 0]

    merged = ReplyColumns.of(before).merged(rows, ReplyColumns.of(fresh))

    assert told(merged) == of_records(after)
    assert [merged.row_of(one.id) for one in after] == list(range(len(after)))
