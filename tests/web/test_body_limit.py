"""What a request may carry, through the real server: stated too large, or endless without saying so."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import pytest
from server_support import Server, serving

from mien.web.body_limit import MB, limit_of
from mien.web.settings_table import WebSettings


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/", MB),
        ("/account/login/", MB),
        ("/detect", 10 * MB + 100_000),
        ("/api/v1/me", MB),
        ("/api/v1/analyses", 10 * MB + 100_000),
        ("/photos/new/", 250 * MB + 100_000),
        ("*", MB),
    ],
)
def test_every_address_has_its_limit(path: str, limit: int) -> None:
    assert limit_of(path, WebSettings()) == limit


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    temporary = tmp_path_factory.mktemp("temporary")
    with serving(tmp_path_factory.mktemp("data"), TMPDIR=str(temporary)) as server:
        server.temporary = temporary
        yield server


def send(server: Server, head: bytes, chunk: bytes, most: int) -> tuple[bytes, int]:
    """Send `chunk` again and again until the server answers; return its answer and the bytes it took."""
    host, port = server.address.removeprefix("http://").split(":")
    sent = 0
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head)
        try:
            while sent < most:
                connection.sendall(chunk)
                sent += len(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass  # closed on us: it answered before
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
    return answer, sent


HEAD = b"POST /account/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"


def test_a_body_that_states_too_much_is_refused_before_it_arrives(server) -> None:
    answer, _ = send(server, HEAD + b"Content-Length: 99999999999\r\n\r\n", b"", 0)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"too large" in answer
    assert b"connection: close" in answer.lower()


def test_an_endless_body_ends_and_nothing_is_left_of_it(server) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    answer, sent = send(server, head, chunk, 200 * MB)
    assert sent < 200 * MB
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413 ")
    assert list(Path(server.temporary).iterdir()) == []
    assert server.get() == 200


def test_a_program_is_told_in_its_own_shape(server) -> None:
    head = HEAD + b"Accept: application/json\r\nContent-Length: 99999999\r\n\r\n"
    answer, _ = send(server, head, b"", 0)
    assert b"application/problem+json" in answer
    assert b'"status": 413' in answer


def test_what_is_within_the_limit_arrives(server) -> None:
    answer, _ = send(server, HEAD + b"Connection: close\r\nContent-Length: 900000\r\n\r\n", b"x" * 900_000, 1)
    assert answer.startswith(b"HTTP/1.1 403 ")  # a form without its token


def test_small_files_by_their_own_names(server) -> None:
    assert server.get("/robots.txt") == server.get("/favicon.ico") == 200


def test_temporary_files_would_be_seen(server) -> None:
    with tempfile.NamedTemporaryFile(dir=server.temporary):
        assert list(Path(server.temporary).iterdir()) != []
