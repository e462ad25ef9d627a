"""What a size costs, measured on the smallest size there is: real processes, real files."""

import json

from typer.testing import CliRunner

from scripts.bench import app


def test_a_size_is_built_changed_and_served_and_its_figures_are_kept(tmp_path):
    done = CliRunner().invoke(app, ["--sizes", "700", "--report", str(tmp_path)])

    assert done.exit_code == 0, done.output
    [figures] = json.loads((tmp_path / "bench_sizes.json").read_text(encoding="utf-8"))["sizes"]
    assert figures["replies"] == 700
    assert figures["recall_at_50"] == 1.0
    assert 1 <= figures["embedded"] <= 40  # a percent of the replies
    assert "| 700 |" in done.output
    assert {"full_build_s", "change_1pct_s", "load_s", "query_p50_ms", "query_p99_cpu_ms", "answer_p99_ms", "snapshot_mb", "build_peak_mb"} <= set(figures)


def test_a_size_that_is_no_number_is_refused():
    done = CliRunner().invoke(app, ["--sizes", "many"])

    assert done.exit_code == 2
    assert "expected numbers of replies" in done.output
