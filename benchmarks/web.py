"""The REST service of `mien serve`, in a process of its own, against the library called directly."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.measure import Figure, alternate, figure, milliseconds
from benchmarks.pictures import SAMPLES, photo
from mien.pipeline.analyzer import Analyzer
from mien.zoo.registry import Model

ABOVE_LIBRARY_AT_MOST = 1.4
PROCESSOR_AT_MOST = 1.5
GROWTH_AT_MOST_MB = 20.0
CLIENTS, ROUNDS, REQUESTS = 8, 5, 80
WARM_UP, MIXED = 300, 2000
_BOUNDARY = "a-part-of-the-form"
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Client:
    """One connection that stays open; `post` and `get` return the status."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("localhost", port, timeout=60)

    def post(self, form: bytes) -> int:
        kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        return self._asked("POST", "/detect", form, kind)

    def get(self, path: str) -> int:
        return self._asked("GET", path, None, {})

    def _asked(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> int:
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


def run(model: Model) -> Iterator[Figure]:
    """Yield the figures of the REST service."""
    content, _places = photo(640, 480, 1)
    with _serving() as (port, process):
        yield _above_library(model, content, port)
        yield from _eight_clients(model, content, port, process)
        if Path("/proc/self/status").exists():
            yield _growth(content, port, process)


def _above_library(model: Model, content: bytes, port: int) -> Figure:
    client, form = Client(port), _form(content)
    with Analyzer(model=model, threads=1) as analyzer:
        seconds = alternate(lambda: analyzer.analyze(content), lambda: client.post(form), repetitions=60)
    return figure(
        "POST /detect, 640×480, one client: against the bare library call",
        seconds[1] / seconds[0],
        limit=ABOVE_LIBRARY_AT_MOST,
        library_ms=milliseconds(seconds[0]),
        detect_ms=milliseconds(seconds[1]),
    )


def _eight_clients(model: Model, content: bytes, port: int, process: int) -> Iterator[Figure]:
    """The generator runs in this process: its processor time is counted apart from the server's."""
    form = _form(content)
    library, server, generator, wall = (np.empty(ROUNDS) for _ in range(4))
    statuses: list[int] = []
    with Analyzer(model=model, threads=1) as analyzer, ThreadPoolExecutor(CLIENTS) as pool:
        analyzer.analyze(content)
        for number in range(ROUNDS):
            began = time.process_time()
            for _ in range(REQUESTS):
                analyzer.analyze(content)
            library[number] = time.process_time() - began
            # new connections: the server has closed those that were idle for so long
            clients = [Client(port) for _ in range(CLIENTS)]
            before, own, clock = _processor_s(process), time.process_time(), time.perf_counter()
            shares = pool.map(lambda one: _posts(one, form, REQUESTS // CLIENTS), clients)
            statuses += [status for share in shares for status in share]
            wall[number] = time.perf_counter() - clock
            server[number] = _processor_s(process) - before
            generator[number] = time.process_time() - own
    yield figure(
        f"POST /detect, 640×480, {CLIENTS} clients: the server's processor time against the library's",
        server / library,
        limit=PROCESSOR_AT_MOST,
        library_ms=_each_ms(library),
        server_ms=_each_ms(server),
        generator_ms=_each_ms(generator),
        requests_a_second=float(REQUESTS / np.median(wall)),
    )
    lost = sum(status != 200 for status in statuses)
    yield figure(
        f"POST /detect, {CLIENTS} clients: requests lost",
        np.array([float(lost)]),
        limit=0,
        unit=f"of {ROUNDS * REQUESTS}",
    )


def _posts(client: Client, form: bytes, count: int) -> list[int]:
    found = []
    for _ in range(count):
        try:
            found.append(client.post(form))
        except (OSError, http.client.HTTPException):
            client.connection.close()
            found.append(0)
    return found


def _each_ms(seconds: np.ndarray) -> float:
    return milliseconds(seconds) / REQUESTS


def _growth(content: bytes, port: int, process: int) -> Figure:
    """Photos of several sizes, photos without faces, what is no photo, pages and refusals, in turn."""
    client = Client(port)
    forms = [_form(photo(480 + 40 * n, 360 + 24 * n, 1 + n % 3)[0]) for n in range(4)]
    forms += [_form(content), _form((SAMPLES / "rocket-launch.jpg").read_bytes()), _form(b"no picture"), b""]
    pages = ["/", "/api/v1/me", "/api/v1/openapi.json", "/account/login/", "/nothing-here", "/privacy/"]
    jobs = [lambda form=form: client.post(form) for form in forms]
    jobs += [lambda page=page: client.get(page) for page in pages]

    def send(count: int) -> None:
        for number in range(count):
            status = jobs[number % len(jobs)]()
            if status >= 500 or status == 429:
                raise RuntimeError(f"request {number % len(jobs)} of the mixture was answered {status}")

    send(WARM_UP)
    before = _resident_mb(process)
    send(MIXED)
    after = _resident_mb(process)
    return figure(
        f"growth of the server over {MIXED} mixed requests",
        np.array([after - before]),
        limit=GROWTH_AT_MOST_MB,
        unit="MB",
        after_warm_up_mb=before,
    )


@contextmanager
def _serving() -> Iterator[tuple[int, int]]:
    """Serve from an empty database; yield the port and the process."""
    settings = {"MIEN_DETECT_PER_MINUTE": "100000", "MIEN_ANONYMOUS_DETECT": "on", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "mien", "serve", "--port", "0"]
    # the database goes into MIEN_DATA, as the detector's file does: a folder of the benchmarks' own
    process = subprocess.Popen(
        command,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a line for each request that is refused
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://localhost:(\d+)", line):
                port = int(found[1])
                break
        else:
            raise RuntimeError("mien serve ended before it said where it is")
        yield port, process.pid
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _form(content: bytes) -> bytes:
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
    return f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()


def _processor_s(process: int) -> float:
    """Return the processor seconds of a process, of all its threads, in user and system mode."""
    stat = Path(f"/proc/{process}/stat")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    told = subprocess.run(
        ["ps", "-o", "time=", "-p", str(process)], capture_output=True, text=True, check=True
    )
    seconds = 0.0
    for part in told.stdout.strip().split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def _resident_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
