"""What never changes about a shop's replies and articles while a snapshot serves, as columns: worked out once, looked up with every message."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from indexes.byte_rows import mean_needs
from indexes.inner_products import inner_products
from indexes.reply_columns import NO_DAY, TONES
from indexes.snapshot import Snapshot
from knowledge.conditions import compile_condition
from knowledge.records import Article
from suggest.eligibility import Gates
from suggest.meaning import ByScenario
from suggest.notable import NOTABLE, looked_at

Column = npt.NDArray[np.float32]
_ONE = np.float32(1.0)
PLAIN_TRAITS = ("neutral", "conditional", "about_case", "asks_for_order", "has_products", "lead", "tier")
_SPECIFIC = 5  # facts in a condition beyond which more say no more


class ReplyTraits:
    """Columns over `shop.replies`, [n_replies] each."""

    def __init__(self, snapshot: Snapshot) -> None:
        columns = snapshot.columns
        self.names, self.scenario = columns.scenarios, columns.scenario.astype(np.int64)
        self.number = {name: place for place, name in enumerate(self.names)}
        families = sorted({name.split(".")[0] for name in self.names})
        self.families = tuple(families)
        self.family = np.array([families.index(name.split(".")[0]) for name in self.names], dtype=np.int64)  # of each scenario
        self.gates = Gates(columns)
        self.tones = np.array([columns.tone == TONES.index(name) for name in ("upset", "calm")], dtype=np.float32)
        of_conditions = np.array([_of_condition(when) for when in columns.conditions], dtype=np.float32).reshape(-1, 5 + len(NOTABLE))
        specific, conditional, about_case, asks_for_order, tier = of_conditions[:, :5].T[:, columns.condition]
        dated = (columns.first_day != NO_DAY) | (columns.last_day != NO_DAY)
        self.specific = np.minimum(specific + dated, _SPECIFIC) / np.float32(_SPECIFIC)
        has_products = np.array([bool(wanted) for wanted in columns.product_lists], dtype=np.bool_)[columns.products]
        neutral, lead = columns.tone == TONES.index(""), columns.is_lead
        self.plain = np.array([neutral, conditional, about_case, asks_for_order, has_products, lead, tier], dtype=np.float32)  # [n_traits, n_replies]
        self.looks_at = np.ascontiguousarray(of_conditions[:, 5:])[columns.condition]  # [n_replies, n_notable]
        self.articles, self.cites = columns.articles, columns.cites.astype(np.int64)
        self.cited_passages = _spans([snapshot.article_passages.get(article, ()) for article in self.articles])
        # [n_replies, n_needs]: an inner product of two roots is the Bhattacharyya coefficient. A large shop's stand ready in the snapshot.
        self._root_profiles = None if snapshot.reply_needs else np.sqrt(_profiles(snapshot))
        self._stored_profiles = snapshot.reply_needs

    def root_profiles(self, rows: npt.NDArray[np.int64]) -> Column:
        """Gives the square roots of the replies' mean need probabilities, [n_rows, n_needs]."""
        if self._root_profiles is None:
            return self._stored_profiles.vectors(rows) if self._stored_profiles else np.empty((len(rows), 0), dtype=np.float32)
        return self._root_profiles[rows]

    def overlaps(self, rows: npt.NDArray[np.int64], roots: Column) -> Column:
        """Gives how far the replies' mean needs overlap with a distribution, given by its square roots: [n_rows], 0 to 1."""
        if self._root_profiles is None:
            return self._stored_profiles.cosines(rows, roots.reshape(1, -1))[:, 0] if self._stored_profiles else np.zeros(len(rows), dtype=np.float32)
        return inner_products(self._root_profiles, rows, roots.reshape(1, -1), _ONE)[:, 0]


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
    heard, column = _column_of(scenarios)
    return np.asarray(column[_places(heard, names)])


def family_probabilities(scenarios: Mapping[str, float], families: tuple[str, ...]) -> Column:
    """Gives the probability of each family of scenarios, such as `logistics` of `logistics.delay` and its sisters."""
    heard, column = _column_of(scenarios)
    return np.asarray(column[:-1].astype(np.float64) @ _membership(heard, families), dtype=np.float32)


def _column_of(scenarios: Mapping[str, float]) -> tuple[tuple[str, ...], Column]:
    """The names and their probabilities, then a 0 for what was not heard of; those of a model have them ready."""
    if isinstance(scenarios, ByScenario):
        return scenarios.names, scenarios.column
    return tuple(scenarios), np.array([*scenarios.values(), 0.0], dtype=np.float32)


@lru_cache(maxsize=1_024)
def _places(heard: tuple[str, ...], names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Where each of the names stands among those heard of; behind the last where it does not."""
    place = {name: number for number, name in enumerate(heard)}
    return np.array([place.get(name, len(heard)) for name in names], dtype=np.int64)


def _of_condition(when: str) -> tuple[float, ...]:
    """How many facts of this order it holds to be so; whether it says anything, is of a case, asks for an order, for a tier; what of `NOTABLE` it looks at.

    A list of tests on one fact counts once.
    """
    return (
        compile_condition(when).specificity, bool(when), "order.case" in when, "!has(order.status)" in when, "customer.tier" in when, *looked_at(when),
    )  # fmt: skip


@lru_cache(maxsize=1_024)
def _membership(heard: tuple[str, ...], families: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Which of the scenarios heard of are of which family, [n_heard, n_families] of 0 and 1."""
    return np.array([[name.split(".")[0] == family for family in families] for name in heard], dtype=np.float64).reshape(len(heard), len(families))


def _spans(passages: Sequence[tuple[int, ...]]) -> npt.NDArray[np.int64]:
    """Where the passages of each article begin and end, [n_articles + 1, 2]: nowhere for one without passages, and for the last, which is none."""
    spans = [(rows[0], rows[-1] + 1) if rows else (0, 0) for rows in passages]
    return np.array([*spans, (0, 0)], dtype=np.int64)


def _profiles(snapshot: Snapshot) -> Column:
    """Each reply's needs: the mean distribution of its triggers, [n_replies, n_needs]; zero where it has none."""
    if not len(snapshot.shop.replies):
        return np.empty((0, snapshot.key_needs.dimension), dtype=np.float32)
    return mean_needs(snapshot.key_needs.vectors(slice(None)), snapshot.reply_key_starts, snapshot.key_is_trigger)
