"""`mien serve`, `mien user` and `mien manage`, each in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from server_support import Visitor, mien, serving


@pytest.fixture(scope="module")
def served_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that is ready: making the tables takes seconds."""
    folder = tmp_path_factory.mktemp("served")
    assert mien(folder, "user", "list").returncode == 0
    with serving(folder):
        return folder


@pytest.fixture
def data(served_before: Path, tmp_path: Path) -> Path:
    """A copy of that folder for one test."""
    return Path(shutil.copytree(served_before, tmp_path / "data"))


def test_a_first_start_makes_everything_and_a_signal_stops_it(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert server.get() == 200
        folder = tmp_path / "web"
        assert {"mien.sqlite3", "secret_key", "static"} <= {path.name for path in folder.iterdir()}
        for private in ("mien.sqlite3", "secret_key"):
            assert stat.S_IMODE((folder / private).stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        server.process.send_signal(signal.SIGTERM)
        rest, _ = server.process.communicate(timeout=60)
        assert server.process.returncode == 0, rest
        assert rest.rstrip().endswith("Stopped.")


def test_a_session_holds_for_all_processes_and_ctrl_c_stops_them(data: Path) -> None:
    assert mien(data, "user", "create", "ada", text="a quiet harbour 7\n").returncode == 0
    with serving(data, "--workers", "2") as server:
        visitor = Visitor(server)
        visitor.log_in("ada", "a quiet harbour 7")
        # each request has a connection of its own: both processes answer some
        pages = [visitor.open("/privacy/consent/") for _ in range(12)]
        assert {page.url for page in pages} == {f"{server.address}/privacy/consent/"}
        server.process.send_signal(signal.SIGINT)
        rest, _ = server.process.communicate(timeout=60)
        assert server.process.returncode == 0, rest


@pytest.mark.parametrize("workers", ["1", "2"])
def test_requests_that_are_open_are_answered_before_the_server_ends(data: Path, workers: str) -> None:
    head = (
        b"POST /account/login/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        b"Content-Type: application/octet-stream\r\nContent-Length: 4\r\n\r\n"
    )
    with serving(data, "--workers", workers) as server, ExitStack() as stack:
        place = ("127.0.0.1", int(server.address.rpartition(":")[2]))
        clients = [stack.enter_context(socket.create_connection(place, timeout=60)) for _ in range(4)]
        for client in clients:
            client.sendall(head)
            assert b"100 Continue" in client.recv(1000)  # its view waits for the body
        server.process.send_signal(signal.SIGTERM)
        while True:  # the server takes no one new: it is on its way
            try:
                socket.create_connection(place, timeout=60).close()
            except OSError:
                break
        for client in clients:
            client.sendall(b"late")
            assert client.recv(1000).startswith(b"HTTP/1.1 403 ")
        server.process.communicate(timeout=60)
        assert server.process.returncode == 0


def test_a_port_that_is_taken_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = mien(tmp_path, "serve", "--port", str(port))
    assert (ended.returncode, f"port {port} is taken" in ended.stderr) == (2, True)
    assert not (tmp_path / "web").exists()


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"MIEN_MODE": "production"}, "ALLOWED_HOSTS"),
        ({"MIEN_MODE": "production", "ALLOWED_HOSTS": "a.example", "DEBUG": "1"}, "DEBUG"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"MIEN_HOST": "no.such.host.invalid"}, "no.such.host.invalid"),
        ({"TIME_ZONE": "Mars/Olympus"}, "Mars"),
        ({"DATABASE_URL": "oracle-of-delphi"}, "DATABASE_URL"),
        ({"MODEL_PATH": "no-such-model"}, "no-such-model"),
        ({"MIEN_PHOTO_MB": "lots"}, "MIEN_PHOTO_MB"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_served_is_refused_in_one_sentence(
    variables: dict[str, str], named: str, tmp_path: Path
) -> None:
    ended = mien(tmp_path, "serve", "--port", "0", **variables)
    assert ended.returncode == 2, ended.stderr
    assert named in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr


def test_headers_of_a_proxy_that_is_not_trusted_are_not_believed(data: Path) -> None:
    settings = {"MIEN_MODE": "production", "ALLOWED_HOSTS": "localhost", "TRUSTED_PROXIES": "192.0.2.0/24"}
    with serving(data, **settings) as server:
        listens = next(line for line in server.process.stdout if "listens on" in line)
        place = ("127.0.0.1", int(listens.split(":")[1].split()[0]))
        with socket.create_connection(place, timeout=60) as liar:
            liar.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n\r\n")
            assert b" 301 " in liar.recv(100)


def test_a_foreign_name_is_refused_in_one_line_of_the_log(data: Path) -> None:
    with serving(data) as server:
        place = ("127.0.0.1", int(server.address.rpartition(":")[2]))
        with socket.create_connection(place, timeout=60) as liar:
            liar.sendall(b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: liar.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"evil.example" not in answer
        server.process.send_signal(signal.SIGTERM)
        log, _ = server.process.communicate(timeout=60)
    assert [line for line in log.splitlines() if "evil.example" in line]
    assert "Traceback" not in log


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_the_browser_is_opened_at_the_right_place(data: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {pipe}\n')
    browser.chmod(0o700)
    with serving(data, "--open", BROWSER=str(browser)) as server:
        assert pipe.read_text() == server.address


def test_a_production_server_is_clean_and_speaks_https_only(data: Path) -> None:
    settings = {"MIEN_MODE": "production", "ALLOWED_HOSTS": "localhost", "TRUSTED_PROXIES": "127.0.0.1"}
    checked = mien(data, "manage", "check", "--deploy", "--fail-level", "WARNING", **settings)
    assert checked.returncode == 0, checked.stderr + checked.stdout
    with serving(data, **settings) as server:
        assert server.address == "https://localhost"
        listens = next(line for line in server.process.stdout if "listens on" in line)
        port = int(listens.split(":")[1].split()[0])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b" 301 " in plain.recv(100)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as by_proxy:
            by_proxy.sendall(
                b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
            )
            answer = b"".join(iter(lambda: by_proxy.recv(65536), b"")).lower()
    assert b" 200 " in answer.split(b"\r\n", 1)[0]
    assert b"strict-transport-security: max-age=31536000" in answer
    assert b"; secure" in answer


def test_several_servers_may_start_at_once_in_one_folder(tmp_path: Path) -> None:
    answers = []

    def start() -> None:
        with serving(tmp_path) as server:
            answers.append(server.get())

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 3


def test_what_pages_load_is_named_by_its_digest_and_kept_for_ever(data: Path) -> None:
    with serving(data) as server:
        visitor = Visitor(server)
        loaded = re.findall(r'(?:href|src)="(/static/[^"#]+)', visitor.open("/").text)
        assert len(loaded) >= 7
        for name in set(loaded):
            answer = visitor.open(name)
            assert answer.status == 200
            assert re.search(r"\.[0-9a-f]{12}\.\w+$", name), f"{name} has no digest in its name"
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Access-Control-Allow-Origin" not in answer.headers
        assert visitor.open("/static/../secret_key").status == 404
        assert visitor.open("/static/%2e%2e/secret_key").status == 404


def test_settings_are_listed_without_starting_anything(tmp_path: Path) -> None:
    ended = mien(tmp_path, "serve", "--settings", SECRET_KEY="s" * 60, PORT="8123")
    assert ended.returncode == 0
    assert "PORT=8123  (default: 5000)" in ended.stdout
    assert "SECRET_KEY=(set)" in ended.stdout
    assert "sss" not in ended.stdout
    assert not (tmp_path / "web").exists()


def test_users_are_made_and_listed(data: Path) -> None:
    password = "a quiet harbour 7\n"
    made = mien(data, "user", "create", "Ada", "--admin", "--email", "ada@example.org", text=password)
    assert made.returncode == 0
    assert mien(data, "user", "list").stdout.splitlines() == ["ada\tadministrator\tada@example.org\tnever"]
    ended = mien(data, "user", "create", "ada", text=password)
    assert (ended.returncode, "already" in ended.stderr) == (2, True)


def test_djangos_commands_are_reached(data: Path) -> None:
    assert "--plan" in mien(data, "manage", "migrate", "--help").stdout
    assert mien(data, "manage", "no-such-command").returncode != 0
    assert mien(data, "manage", "makemigrations", "--check", "--dry-run").returncode == 0


def test_a_database_of_a_newer_version_is_left_alone(data: Path) -> None:
    import sqlite3

    with sqlite3.connect(data / "web" / "mien.sqlite3") as database:
        database.execute(
            "insert into django_migrations (app, name, applied) values ('analyses', '0999', '2030-01-01')"
        )
    ended = mien(data, "serve", "--port", "0")
    assert (ended.returncode, "newer" in ended.stderr) == (3, True)
