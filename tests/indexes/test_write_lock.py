import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexes.errors import IndexBusy
from indexes.write_lock import OWNER, read_owner, running, writing

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from indexes.write_lock import writing
with writing(Path(sys.argv[1])) as lock:
    lock.doing("embedding")
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    """Another process that holds the lock."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_writer_hears_who_holds_it_since_when_and_what_it_does(tmp_path: Path, holder: "subprocess.Popen[str]"):
    with pytest.raises(IndexBusy, match=rf"process {holder.pid} on {socket.gethostname()}, since .* s\), embedding; run it again"), writing(tmp_path):
        pass

    owner = running(tmp_path)
    assert owner is not None
    assert (owner.pid, owner.doing) == (holder.pid, "embedding")


def test_a_killed_holder_keeps_nobody_out_and_is_named(tmp_path: Path, holder: "subprocess.Popen[str]"):
    holder.send_signal(signal.SIGKILL)
    holder.wait()

    with writing(tmp_path) as lock:
        assert f"took over from process {holder.pid} on " in lock.taken_over
        assert "embedding" in lock.taken_over
        assert read_owner(tmp_path).pid == os.getpid()  # type: ignore[union-attr]
    assert running(tmp_path) is None


def test_after_an_orderly_end_nobody_is_named(tmp_path: Path):
    with writing(tmp_path):
        pass

    assert not (tmp_path / OWNER).exists()
    with writing(tmp_path) as lock:
        assert lock.taken_over == ""


def test_an_error_inside_frees_it(tmp_path: Path):
    with pytest.raises(ValueError, match="x"), writing(tmp_path):
        raise ValueError("x")

    assert running(tmp_path) is None
    assert not (tmp_path / OWNER).exists()


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"pid": 1}'])
def test_an_owner_file_that_says_nothing_is_no_owner(tmp_path: Path, torn: str):
    (tmp_path / OWNER).write_text(torn, encoding="utf-8")

    with writing(tmp_path) as lock:
        assert lock.taken_over == ""


def test_the_age_does_not_follow_the_clock(tmp_path: Path):
    """Written by a clock a year ahead: the seconds since the machine started still tell the age; another machine's tell nothing."""
    fields = {"pid": 1, "host": socket.gethostname(), "since": "2027-11-22T00:00:00+00:00", "ticks": time.monotonic() - 90, "doing": "embedding"}
    for host, expected in ((socket.gethostname(), "2027-11-22T00:00:00+00:00 (90 s), embedding"), ("far-away", "2027-11-22T00:00:00+00:00, embedding")):
        (tmp_path / OWNER).write_text(json.dumps({**fields, "host": host}), encoding="utf-8")

        assert expected in str(read_owner(tmp_path))
