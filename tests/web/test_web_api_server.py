"""The REST service of a real server with two processes: hostile bodies leave nothing, keys hold for both."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection

import pytest
from server_support import mien, serving
from web_support import FACE, PASSWORD

pytestmark = pytest.mark.skipif("os.environ.get('MIEN_TEST_DATABASE_URL')", reason="needs sqlite")
MOST = 4_000_000_000  # the server takes what comes, and keeps none of it, until its answer is out
CODE = """
from mien.web.accounts import tokens
from mien.web.accounts.models import User
from mien.web.privacy import consent
ann = User.objects.get(username="ann")
consent.give(ann)
print("token", tokens.make(ann, "a program", ["analyse", "read", "delete"])[1])
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    data, temporary = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("temporary")
    mien(data, "user", "create", "ann", text=f"{PASSWORD}\n")
    told = mien(data, "manage", "shell", "-c", CODE)
    token = told.stdout.split("token ")[1].split()[0]
    with serving(data, "--workers", "2", TMPDIR=str(temporary)) as server:
        server.temporary, server.token, server.data = temporary, token, data
        yield server


def connected(server) -> HTTPConnection:
    return HTTPConnection(server.address.removeprefix("http://"), timeout=60)


def form(content: bytes) -> tuple[bytes, str]:
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
    return head + b"Content-Type: image/jpeg\r\n\r\n" + content + b"\r\n--x--\r\n", (
        "multipart/form-data; boundary=x"
    )


def rows(server, table: str) -> int:
    with closing(sqlite3.connect(server.data / "web" / "mien.sqlite3")) as database:
        return database.execute(f"select count(*) from {table}").fetchone()[0]


@pytest.mark.parametrize("path", ["/detect", "/api/v1/analyses"])
def test_an_endless_body_is_cut_off_and_nothing_is_left(server, path: str) -> None:
    host, port = server.address.removeprefix("http://").split(":")
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    sent, answer = 0, b""
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode())
        try:
            while sent < MOST:
                connection.sendall(chunk)
                sent += len(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
    assert sent < MOST
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413 ")
    assert list(server.temporary.iterdir()) == []
    assert server.get() == 200


@pytest.mark.parametrize(("path", "shape"), [("/detect", ["error"]), ("/api/v1/analyses", None)])
def test_a_body_that_states_too_much_is_told_so_in_the_shape_of_its_address(server, path, shape) -> None:
    with closing(connected(server)) as connection:
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", "99999999999")
        connection.endheaders()
        answer = connection.getresponse()
        told = json.loads(answer.read())
    assert answer.status == 413
    assert list(told) == (shape or ["type", "title", "status", "detail"])


def test_damaged_requests_end_in_refusals(server) -> None:
    body, kind = form(FACE.read_bytes())
    sent = [
        (body[:-20_000], kind),
        (body, "multipart/form-data; boundary=y"),
        (b"\0" * 100_000, kind),
        (b"[" * 900_000, "application/json"),
        (b"a=1&" * 200_000, "application/x-www-form-urlencoded"),
        (body, "text/plain; charset=nonsense"),
    ]
    header = {"Authorization": f"Bearer {server.token}"}
    before = rows(server, "analyses_analysis")
    for content, content_type in sent:
        for path in ("/detect", "/api/v1/analyses"):
            with closing(connected(server)) as connection:
                connection.request("POST", path, content, {"Content-Type": content_type, **header})
                answer = connection.getresponse()
                text = answer.read()
            assert answer.status in (400, 413, 422), (path, content_type, answer.status)
            assert b"Traceback" not in text
    assert rows(server, "analyses_analysis") == before
    assert list(server.temporary.iterdir()) == []


def test_a_key_holds_for_all_processes(server) -> None:
    body, kind = form(FACE.read_bytes())
    header = {"Authorization": f"Bearer {server.token}", "Content-Type": kind, "Idempotency-Key": "one"}

    def send(_number: int) -> tuple[int, bytes]:
        while True:
            with closing(connected(server)) as connection:
                connection.request("POST", "/api/v1/analyses", body, header)
                answer = connection.getresponse()
                text = answer.read()
            if answer.status != 409:  # still being worked on by another process
                return answer.status, text

    before = rows(server, "analyses_analysis")
    with ThreadPoolExecutor(6) as pool:
        answers = Counter(pool.map(send, range(12)))
    assert [status for status, _text in answers] == [201]
    assert rows(server, "analyses_analysis") == before + 1
