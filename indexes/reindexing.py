"""The nightly job: read, compare, embed what is new, build, prove, publish or refuse, and say so. One writer at a time for each shop.

To follow one run read `reindex` and the five it calls: `read_knowledge`, `build_snapshot`, `findability`, the judge, `publish`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexes.adapted import EMBEDDING, NEEDS, AdaptedModels, find_adapted
from indexes.build import Progress, build_snapshot, findability, fingerprint_of
from indexes.changes import approved, changes, dates
from indexes.classifier import TextClassifier
from indexes.embedder import Embedder
from indexes.errors import AdaptationUnusable, IndexBusy, IndexingError, SnapshotError, SnapshotMissing
from indexes.gate import Judge, Refusal, fewer, rolled_back
from indexes.history import read_history, rejection_of, who
from indexes.index_recall import low_recall
from indexes.proven_rows import proven_rows
from indexes.publish import SNAPSHOTS, OnStep, SetAside, clean, load_current, load_last_good, publish
from indexes.reindex_inputs import Knowledge, read_knowledge, shop_id
from indexes.reindex_report import Report, write_report
from indexes.snapshot import Snapshot
from indexes.snapshot_folders import counts_of, pointed_to
from indexes.vector_cache import CACHE, VectorCache
from indexes.write_lock import writing
from knowledge.errors import BadRow, InvalidKnowledge, KnowledgeChanging, KnowledgeError
from knowledge.shop import Shop
from knowledge.steady_reading import differing, file_digests


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of a run."""

    folder: Path  # the shop's files
    index_dir: Path  # published indexes, a folder a shop
    adapted_dir: Path  # adapted models, a folder a shop
    dry_run: bool = False
    rebuild: bool = False  # embed everything anew and publish even what is unchanged
    force: str = ""  # why it is to be published whatever the checks say
    max_fewer: float | None = None  # instead of the shop's own `[gate] max_fewer`


@dataclass(frozen=True, slots=True)
class Means:
    """What a run works with."""

    embedder: Embedder
    needs: TextClassifier
    judge: Judge


def reindex(task: Task, means: Callable[[], Means], *, now: datetime, on_progress: Progress | None = None, on_step: OnStep | None = None) -> Report:
    """Gives the report of one run, which is also kept under the shop's index folder; nothing is raised for what can go wrong with a shop.

    Args:
        task: what is asked.
        means: loads the models; called once the files have been read.
        now: the moment; goes into ids and decides which dates are over.
        on_progress: hears (stage, done, of how many).
        on_step: hears each step after it was taken.
    """
    started = time.perf_counter()
    report = Report(str(task.folder), now.astimezone(UTC).isoformat(timespec="seconds"), dry_run=task.dry_run)
    report.store = shop_id(task.folder)
    run = _Run(task, means, report, now, on_progress or (lambda _stage, _done, _total: None), on_step or (lambda _name: None))
    try:
        _hold_and(run)
    except InvalidKnowledge as error:
        report.status, report.reason = "invalid", f"{len(error.bad_rows)} bad rows; mend them and run again"
        report.bad_rows = [_without_customers_words(row) for row in error.bad_rows]
    except IndexBusy as error:
        report.status, report.reason = "busy", str(error)
    except (KnowledgeError, IndexingError) as error:
        report.status, report.reason = "failed", str(error)
    except OSError as error:
        report.status, report.reason = "failed", f"a file cannot be read or written ({error}); look for free space and permissions, then run it again"
    report.seconds = round(time.perf_counter() - started, 2)
    if report.store and not task.dry_run:
        _keep(report, task.index_dir / report.store)
    return report


@dataclass(frozen=True, slots=True)
class _Run:
    """One run on its way."""

    task: Task
    means: Callable[[], Means]
    report: Report
    now: datetime
    tell: Progress
    step: OnStep

    @property
    def store_dir(self) -> Path:
        return self.task.index_dir / self.report.store


def _hold_and(run: _Run) -> None:
    """Runs under the lock. A dry run and a shop whose id cannot be read write nothing and need none."""
    if run.task.dry_run or not run.report.store:
        _run(run, lambda _what: None)
        return
    with writing(run.store_dir) as lock:
        if lock.taken_over:
            run.report.notes.append(lock.taken_over)
        run.step("locked")
        _run(run, lock.doing)


def _run(run: _Run, doing: OnStep) -> None:
    report, task = run.report, run.task
    doing("reading the shop's files")
    knowledge = read_knowledge(task.folder, proven=proven_rows(run.store_dir) if report.store and not task.rebuild else ())
    knowledge = replace(knowledge, shop=replace(knowledge.shop, replies=approved(knowledge.shop)))
    run.step("read")
    if knowledge.shop.store.id != report.store:
        raise KnowledgeChanging(task.folder, ["store.toml"])
    if not task.dry_run:
        report.cleaned = clean(run.store_dir)
    means = run.means()
    own = _own_models(task.adapted_dir / report.store, means, report)
    live = _live(run, means)
    run.step("loaded the live one")
    _compare(run, knowledge.shop, live)
    marks = _marks(knowledge, means, own)
    if _is_unchanged(run, live, marks[0]):
        report.status, report.snapshot_id = "unchanged", report.previous
        report.counts = dict(live.manifest.counts) if live else {}
        return
    report.refusals += _rejections(run.store_dir, live, marks)
    if report.refusals and not task.force and not task.dry_run:
        _refuse(report)
        return
    doing("embedding")
    cache = VectorCache(run.store_dir / CACHE, reuse=not task.rebuild)
    snapshot = _build(run, knowledge, means, own, cache, live)
    doing("checking")
    _check(run, knowledge, live, snapshot, means)
    run.step("checked")
    doing("publishing")
    report.refusals += [one for one in _rejections(run.store_dir, live, marks) if one not in report.refusals]  # rolled back meanwhile
    if report.refusals and not task.force:
        _refuse(report)
    else:
        _publish(run, snapshot, means)
        _try_on_disk(run, cache.forget_unused)
    _note_late_edits(task.folder, knowledge, report)


def _own_models(folder: Path, means: Means, report: Report) -> AdaptedModels | None:
    """Gives the shop's own models; where they cannot be used it says so and the shared ones serve, for a night without them is no outage."""
    try:
        own = find_adapted(folder, base={EMBEDDING: means.embedder.model_id, NEEDS: means.needs.model_id})
    except AdaptationUnusable as error:
        report.notes.append(f"{error}; the bundled models are used")
        return None
    report.adapted = own is not None
    return own


def _live(run: _Run, means: Means) -> Snapshot | None:
    """Gives what the new snapshot is compared with; a damaged one goes to the quarantine, but not on a dry run."""
    report, needs_id = run.report, means.needs.model_id
    report.previous = pointed_to(run.store_dir)
    try:
        if run.task.dry_run:
            return load_current(run.store_dir, embedder=means.embedder, needs_model_id=needs_id)
        loaded = load_last_good(run.store_dir, embedder=means.embedder, needs_model_id=needs_id)
    except SnapshotMissing:
        return None
    except SnapshotError as error:  # no other is usable either
        report.set_aside.append(SetAside(report.previous, str(error), quarantined=not (run.store_dir / SNAPSHOTS / report.previous).exists()))
        return None
    report.set_aside += loaded.set_aside
    return loaded.snapshot


def _compare(run: _Run, shop: Shop, live: Snapshot | None) -> None:
    run.report.changes = changes(live.shop if live else None, shop)
    run.report.dates = dates(shop, now=run.now)


def _marks(knowledge: Knowledge, means: Means, own: AdaptedModels | None) -> tuple[str, str]:
    """The fingerprint and the knowledge hash that a snapshot of this knowledge would have."""
    models = own or means
    ids = {EMBEDDING: models.embedder.model_id, NEEDS: models.needs.model_id}
    return fingerprint_of(knowledge.shop, ids=ids, cases=knowledge.cases, base=own.base if own else {})


def _is_unchanged(run: _Run, live: Snapshot | None, fingerprint: str) -> bool:
    is_live = live is not None and live.manifest.snapshot_id == run.report.previous
    return live is not None and is_live and live.manifest.fingerprint == fingerprint and not run.task.rebuild


def _rejections(store_dir: Path, live: Snapshot | None, marks: tuple[str, str]) -> list[Refusal]:
    """What people rolled back from. The words alone are no reason where the live snapshot has the same: then a model was rejected."""
    events = read_history(store_dir)
    fingerprint, knowledge_hash = marks
    same_words = live is not None and live.manifest.knowledge_hash == knowledge_hash
    return rolled_back(rejection_of(events, fingerprint) or (None if same_words else rejection_of(events, knowledge_hash)))


def _build(run: _Run, knowledge: Knowledge, means: Means, own: AdaptedModels | None, cache: VectorCache, live: Snapshot | None) -> Snapshot:
    snapshot = build_snapshot(
        knowledge.shop, embedder=means.embedder, needs=means.needs, now=run.now, cases=knowledge.cases, adapted=own, cache=cache, on_progress=run.tell,
        live=None if run.task.rebuild else live,
    )  # fmt: skip
    run.step("built")
    report = run.report
    report.counts, report.vectors = snapshot.manifest.counts, cache.counts
    report.notes += [f"{name} was damaged and its vectors were computed again" for name in cache.damaged]
    _try_on_disk(run, cache.keep)
    run.step("kept vectors")
    return snapshot


def _try_on_disk(run: _Run, action: Callable[[], None]) -> None:
    """A cache that cannot be written costs the next run some time, and this one nothing."""
    if run.task.dry_run:
        return
    try:
        action()
    except OSError as error:
        run.report.notes.append(f"the vectors could not be kept for the next run: {error}")


def _check(run: _Run, knowledge: Knowledge, live: Snapshot | None, snapshot: Snapshot, means: Means) -> None:
    report = run.report
    found = findability(snapshot, means.embedder)
    before = findability(live, means.embedder) if live and run.task.dry_run else None
    report.checks["findable"] = {"n_asked": found.n_asked, "lost": found.lost} | ({"lost_live": before.lost} if before else {})
    if found.refusal:
        report.refusals.append(Refusal("findable", found.refusal))
    report.checks["recall"] = {"new": snapshot.manifest.recall, "live": live.manifest.recall if live else None}
    if low_recall(snapshot.manifest.recall):
        report.refusals.append(Refusal("recall", low_recall(snapshot.manifest.recall)))
    counts = dict(live.manifest.counts) if live else counts_of(run.store_dir / SNAPSHOTS / report.previous) if report.previous else {}
    report.checks["counts"] = {"live": counts, "new": snapshot.manifest.counts}
    most = knowledge.shop.store.gate.max_fewer if run.task.max_fewer is None else run.task.max_fewer
    report.refusals += fewer(counts, snapshot.manifest.counts, max_fewer=most)
    verdict = means.judge(live, snapshot, knowledge.chats)
    report.checks["chats"] = {"from": knowledge.chats_from, **verdict.figures}
    report.refusals += verdict.refusals


def _refuse(report: Report) -> None:
    report.status, report.snapshot_id = "refused", report.previous
    report.reason = "; ".join(one.reason for one in report.refusals)


def _publish(run: _Run, snapshot: Snapshot, means: Means) -> None:
    """Publishes; what stood against it goes into the report and the history. A dry run only says that it would."""
    report, reason = run.report, ""
    if report.refusals:
        report.forced = {"reason": run.task.force, "by": who(), "refusals": [one.code for one in report.refusals]}
        reason = f"forced: {run.task.force}; in spite of: {'; '.join(one.reason for one in report.refusals)}"
    report.snapshot_id = snapshot.manifest.snapshot_id
    if not run.task.dry_run:
        report.snapshot_id = report.previous
        manifest = publish(snapshot, run.store_dir, embedder=means.embedder, needs_model_id=means.needs.model_id, reason=reason, on_step=run.step)
        report.snapshot_id = manifest.snapshot_id
    report.status = "published"


def _note_late_edits(folder: Path, knowledge: Knowledge, report: Report) -> None:
    try:
        late = differing(knowledge.digests, file_digests(folder))
    except OSError:  # what is published is published
        return
    if late:
        report.notes.append(f"{', '.join(late[:5])} changed after the files were read; the next run takes it in")


def _without_customers_words(row: BadRow) -> dict[str, Any]:
    """A chat's cells may be what a customer wrote; reports and logs are no place for that."""
    got = "" if row.path.startswith("chats/") else row.got
    return {"file": row.path, "line": row.line, "field": row.field, "expected": row.expected, "got": got}


def _keep(report: Report, store_dir: Path) -> None:
    try:
        write_report(report, store_dir)
    except OSError as error:
        report.notes.append(f"this report could not be kept: {error}")
