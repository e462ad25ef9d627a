"""The service in a process of its own, for the commands that look at it from outside."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_START_SECONDS = 60.0
_ROOT = Path(__file__).parent.parent


class ServiceStopped(Exception):
    """The service ended, or was not ready in time."""


@dataclass(frozen=True, slots=True)
class RunningService:
    """Where it answers, and its process."""

    url: str
    process: "subprocess.Popen[bytes]"

    def resident_mb(self) -> float | None:
        """Gives the memory it holds, in MiB; None where the system does not tell."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return None
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS"))
        return round(int(line.split()[1]) / 1_024, 1)


@contextmanager
def running_service(index_dir: Path, *, settings: Mapping[str, str] | None = None, log: Path | None = None, workers: int = 1) -> Iterator[RunningService]:
    """Starts it on a free port without the caller's SUGGEST_ settings, gives it when it answers, stops it at the end.

    Args:
        index_dir: what it serves.
        settings: `SUGGEST_*` variables.
        log: where its log lines go; nowhere when None.
        workers: how many processes answer.

    Raises:
        ServiceStopped: it ended, or did not answer within a minute.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "scripts.serve", "--index-dir", str(index_dir.resolve()), "--port", str(port), "--workers", str(workers)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUGGEST_")} | dict(settings or {})
    with (log or Path(os.devnull)).open("ab") as lines, subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=lines, stderr=lines) as process:
        service = RunningService(f"http://127.0.0.1:{port}", process)
        try:
            _wait_until_it_answers(service)
            yield service
        finally:
            process.terminate()


def _wait_until_it_answers(service: RunningService) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if service.process.poll() is not None:
            raise ServiceStopped(f"the service stopped with exit code {service.process.returncode}; start `python -m scripts.serve` by hand to see why")
        try:
            httpx.get(f"{service.url}/readyz", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise ServiceStopped(f"the service did not answer within {_START_SECONDS:.0f} s")
