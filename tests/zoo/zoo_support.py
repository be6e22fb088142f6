"""What the tests of this folder share: the folders models lie in, and a web server on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Places:
    packaged: Path
    data: Path

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def detectors(self) -> Path:
        return self.data / "detectors"


class Server:
    """Answers each path as a test says, on a port of its own."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.finished = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append(self.path)
                with suppress(ConnectionError):  # the client may well hang up
                    server.answers[self.path](self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def url(self, path: str, answer: Answer) -> str:
        self.answers[path] = answer
        return f"http://127.0.0.1:{self._http.server_port}{path}"

    def close(self) -> None:
        self.finished.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def sends(body: bytes, *, length: int | str | None = None, status: int = 200) -> Answer:
    """Answer with `body`, stating its length or another one."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body) if length is None else length))
        request.end_headers()
        request.wfile.write(body)

    return answer
