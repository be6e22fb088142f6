"""`mien serve` in a process of its own, on a free port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from mien.testing import write_model


@dataclass
class Server:
    """A running server: its address and what it has said so far."""

    address: str
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def get(self, path: str = "/") -> int:
        """The status of a page."""
        with urllib.request.urlopen(self.address + path, timeout=60) as answer:
            return int(answer.status)


class Answer(NamedTuple):
    """An answer of a server, with the address that it ended at."""

    status: int
    url: str
    text: str
    headers: Message


class Visitor:
    """Someone with cookies, who follows where they are led."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._browser = build_opener(HTTPCookieProcessor())

    def open(self, page: str, form: dict[str, str] | None = None) -> Answer:
        """Get a page, or send a form to it."""
        return self._answer(page, None if form is None else urlencode(form).encode(), {})

    def post(self, page: str, body: bytes, kind: str) -> Answer:
        """Send a body of any kind to a page, with the page's token beside it."""
        return self._answer(page, body, {"Content-Type": kind, "X-CSRFToken": self._token(page)})

    def send(self, page: str, **values: str) -> Answer:
        """Fill in the form of a page and send it, with its token."""
        return self.open(page, {"csrfmiddlewaretoken": self._token(page), **values})

    def log_in(self, name: str, password: str) -> Answer:
        """Log in by the form."""
        return self.send("/account/login/", login=name, password=password)

    def _token(self, page: str) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.open(page).text)
        assert token is not None
        return token[1]

    def _answer(self, page: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        try:
            answer = self._browser.open(Request(self.server.address + page, body, headers), timeout=60)
        except HTTPError as error:
            answer = error
        with answer:
            return Answer(answer.status, answer.url, answer.read().decode(), answer.headers)


def environment(data: Path, **settings: str) -> dict[str, str]:
    """Variables of a server of its own, with a small model."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MIEN_", "DJANGO_"))}
    data.mkdir(parents=True, exist_ok=True)
    own = {"MIEN_DATA": str(data), "MODEL_PATH": str(write_model(data)), "OMP_NUM_THREADS": "1"}
    return {**kept, **own, "PYTHONUNBUFFERED": "1", **settings}


def mien(data: Path, *args: str, text: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "mien", *args]
    return subprocess.run(
        command, env=environment(data, **settings), input=text, capture_output=True, text=True, timeout=120
    )


@contextmanager
def serving(data: Path, *args: str, **settings: str) -> Iterator[Server]:
    """A server that has said where it is; it is killed at the end where it still runs."""
    command = [sys.executable, "-m", "mien", "serve", "--port", "0", *args]
    process = subprocess.Popen(
        command,
        env=environment(data, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"https?://[\w.\[\]:-]+", line):
                yield Server(found[0], process, said)
                return
        raise AssertionError("".join(said))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.communicate()
