"""What never changes about a shop's replies and articles while a snapshot serves, as columns: worked out once, looked up with every message."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from indexes.byte_rows import mean_needs
from indexes.reply_columns import TONES, Gate
from indexes.snapshot import Snapshot
from knowledge.conditions import compile_condition
from knowledge.records import Article
from suggest.eligibility import Gates

Column = npt.NDArray[np.float32]
_SPECIFIC = 5  # facts in a condition beyond which more say no more


class ReplyTraits:
    """Columns over `shop.replies`, [n_replies] each."""

    def __init__(self, snapshot: Snapshot) -> None:
        columns = snapshot.columns
        self.names, self.scenario = columns.scenarios, columns.scenario.astype(np.int64)
        families = sorted({name.split(".")[0] for name in self.names})
        self.families = tuple(families)
        self.family = np.array([families.index(name.split(".")[0]) for name in self.names], dtype=np.int64)  # of each scenario
        self.gates = Gates(columns)
        tone = [(columns.tone == TONES.index(name)).astype(np.float32) for name in ("upset", "calm", "")]
        self.tones, self.neutral, self.lead = np.array(tone[:2]), tone[2], columns.is_lead.astype(np.float32)
        of_gates = np.array([_of_gate(gate) for gate in columns.gates], dtype=np.float32).reshape(-1, 6)
        self.specific, self.conditional, self.about_case, self.asks_for_order, self.has_products, self.tier = of_gates.T[:, columns.gate]
        self.articles, self.cites = columns.articles, columns.cites
        self.cited_passages = [snapshot.article_passages.get(article, ()) for article in self.articles]
        # [n_replies, n_needs]: an inner product of two roots is the Bhattacharyya coefficient. A large shop's stand ready in the snapshot.
        self._root_profiles = None if snapshot.reply_needs else np.sqrt(_profiles(snapshot))
        self._stored_profiles = snapshot.reply_needs

    def root_profiles(self, rows: npt.NDArray[np.int64]) -> Column:
        """Gives the square roots of the replies' mean need probabilities, [n_rows, n_needs]."""
        if self._root_profiles is None:
            return self._stored_profiles.vectors(rows) if self._stored_profiles else np.empty((len(rows), 0), dtype=np.float32)
        return self._root_profiles if len(rows) == len(self._root_profiles) else self._root_profiles[rows]


class ArticleTraits:
    """Columns over the shop's articles that have passages, by id."""

    def __init__(self, snapshot: Snapshot) -> None:
        spans = snapshot.article_passages
        self.articles: tuple[Article, ...] = tuple(article for article in snapshot.shop.articles if spans[article.id])
        self.starts = np.array([spans[article.id][0] for article in self.articles], dtype=np.int64)  # of each article's passages, which stand together
        self.by_id = {article.id: article for article in snapshot.shop.articles}
        self.number = {article.id: place for place, article in enumerate(self.articles)}
        self.names = tuple(sorted({name for article in self.articles for name in article.scenarios}))
        width = max((len(article.scenarios) for article in self.articles), default=0) or 1
        self.scenarios = np.full((len(self.articles), width), len(self.names), dtype=np.int64)  # numbers of names; as many as there are: none
        for place, article in enumerate(self.articles):
            self.scenarios[place, : len(article.scenarios)] = [self.names.index(name) for name in article.scenarios]
        self.of_scenario = {name: tuple(article for article in self.articles if name in article.scenarios) for name in self.names}


def scenario_probabilities(scenarios: Mapping[str, float], names: tuple[str, ...]) -> Column:
    """Gives the probability of each of the named scenarios, in their order; 0 for one that was not heard of."""
    values = np.fromiter((*scenarios.values(), 0.0), dtype=np.float32, count=len(scenarios) + 1)
    return np.asarray(values[_places(tuple(scenarios), names)])


@lru_cache(maxsize=1_024)
def _places(heard: tuple[str, ...], names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Where each of the names stands among those heard of; behind the last where it does not."""
    place = {name: number for number, name in enumerate(heard)}
    return np.array([place.get(name, len(heard)) for name in names], dtype=np.int64)


def _of_gate(gate: Gate) -> tuple[float, ...]:
    """How specific the replies of the gate are, 0..1, and whether they have a condition, ask for a case, for an order, for a product, for a tier."""
    return (
        min(_specificity(gate), _SPECIFIC) / _SPECIFIC, bool(gate.when), "order.case" in gate.when, "!has(order.status)" in gate.when,
        bool(gate.products), "customer.tier" in gate.when,
    )  # fmt: skip


def _specificity(gate: Gate) -> int:
    """How many facts of this order the condition holds to be so; a list of tests on one fact counts once."""
    return compile_condition(gate.when).specificity + (1 if gate.effective_from or gate.effective_to else 0)


def _profiles(snapshot: Snapshot) -> Column:
    """Each reply's needs: the mean distribution of its triggers, [n_replies, n_needs]; zero where it has none."""
    if not len(snapshot.shop.replies):
        return np.empty((0, snapshot.key_needs.dimension), dtype=np.float32)
    return mean_needs(snapshot.key_needs.vectors(slice(None)), snapshot.reply_key_starts, snapshot.key_is_trigger)
