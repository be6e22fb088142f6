from __future__ import annotations

import hashlib
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from zoo_support import Answer, Server, sends

from mien.core.errors import DownloadError, OutputError
from mien.zoo.download import download

BODY = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()


def fetch(url: str, folder: Path, **changes: object) -> Path:
    target = folder / "file.bin"
    options: dict[str, object] = {"sha256": SHA256, "limit": len(BODY), "timeout": 5.0}
    download(url, target, **{**options, **changes})  # type: ignore[arg-type]
    return target


def refused(url: str, folder: Path, **changes: object) -> str:
    """The message of the refusal; neither the file nor a part of it may stay."""
    with pytest.raises(DownloadError) as caught:
        fetch(url, folder, **changes)
    assert list(folder.iterdir()) == []
    return str(caught.value)


def test_the_file_arrives_and_progress_is_told(server: Server, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = fetch(server.url("/f", sends(BODY)), tmp_path, progress=lambda *now: told.append(now))
    assert path.read_bytes() == BODY
    assert list(tmp_path.iterdir()) == [path]
    assert told == sorted(told)
    assert told[-1] == (len(BODY), len(BODY))


def test_a_length_need_not_be_stated(server: Server, tmp_path: Path) -> None:
    def without_length(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(BODY)

    told: list[tuple[int, int | None]] = []
    url = server.url("/f", without_length)
    assert fetch(url, tmp_path, progress=lambda *now: told.append(now)).read_bytes() == BODY
    assert told[-1] == (len(BODY), None)


def test_a_broken_transfer_leaves_nothing(server: Server, tmp_path: Path) -> None:
    url = server.url("/f", sends(BODY[:1000], length=len(BODY)))
    assert f"after 1000 of {len(BODY)} bytes" in refused(url, tmp_path)


def test_another_content_is_refused(server: Server, tmp_path: Path) -> None:
    message = refused(server.url("/f", sends(BODY[::-1])), tmp_path)
    assert SHA256 in message
    assert hashlib.sha256(BODY[::-1]).hexdigest() in message


def test_what_was_there_before_stays(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(b"before")
    with pytest.raises(DownloadError):
        fetch(server.url("/f", sends(b"wrong")), tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (404, "check the address"),
        (403, "it may not be fetched"),
        (429, "try again later"),
        (500, "try again"),
    ],
)
def test_an_error_of_the_server_is_told_with_what_to_do(
    server: Server, tmp_path: Path, status: int, advice: str
) -> None:
    message = refused(server.url("/f", sends(b"no", status=status)), tmp_path)
    assert f"answered {status}" in message
    assert advice in message


def test_too_large_a_file_is_refused_before_it_comes(server: Server, tmp_path: Path) -> None:
    told: list[int] = []
    url = server.url("/f", sends(b"", length=10**12))
    message = refused(url, tmp_path, progress=lambda done, total: told.append(done))
    assert f"more than the {len(BODY)} bytes" in message
    assert told == []


def test_a_transfer_without_end_is_cut_at_the_limit(server: Server, tmp_path: Path) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not server.finished.is_set():
            request.wfile.write(BODY)

    told: list[int] = []
    url = server.url("/f", endless)
    assert "more than" in refused(url, tmp_path, progress=lambda done, total: told.append(done))
    assert max(told, default=0) <= len(BODY)


def test_a_silent_server_is_given_up(server: Server, tmp_path: Path) -> None:
    def stalls(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(BODY)))
        request.end_headers()
        request.wfile.write(BODY[:10])
        server.finished.wait()

    assert "timed out" in refused(server.url("/f", stalls), tmp_path, timeout=0.2)


def test_a_slow_transfer_ends_at_the_deadline(server: Server, tmp_path: Path) -> None:
    assert "too slow" in refused(server.url("/f", sends(BODY)), tmp_path, deadline=0.0)


@pytest.mark.parametrize("length", ["-5", "many", "1.5"])
def test_a_length_that_is_no_number_is_refused(server: Server, tmp_path: Path, length: str) -> None:
    assert repr(length) in refused(server.url("/f", sends(BODY, length=length)), tmp_path)


def test_nobody_listening(tmp_path: Path) -> None:
    assert "cannot be reached" in refused("http://127.0.0.1:1/f", tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/f",
        "file:///etc/hostname",
        "ftp://127.0.0.1/f",
        "http://127.0.0.1.example.org/f",
        "https://",
        "http://[::1",
        "yunet",
        "",
    ],
)
def test_only_https_and_this_machine_are_addresses(tmp_path: Path, url: str) -> None:
    assert "not allowed" in refused(url, tmp_path)


def redirects(to: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", to)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def test_a_redirect_is_followed(server: Server, tmp_path: Path) -> None:
    there = server.url("/there", sends(BODY))
    assert fetch(server.url("/f", redirects(there)), tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("to", ["http://192.0.2.1/f", "file:///etc/hostname", "ftp://127.0.0.1:1/f"])
def test_a_redirect_to_a_forbidden_address_is_not_followed(server: Server, tmp_path: Path, to: str) -> None:
    message = refused(server.url("/f", redirects(to)), tmp_path)
    assert "not https" in message or "answered 302" in message  # urllib itself refuses a file


def test_redirects_in_a_circle_end(server: Server, tmp_path: Path) -> None:
    refused(server.url("/f", redirects("/f")), tmp_path)
    assert len(server.requests) <= 10


def test_an_interrupted_transfer_leaves_nothing(server: Server, tmp_path: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server.url("/f", sends(BODY)), tmp_path, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_told_before_anything_is_asked(server: Server, tmp_path: Path) -> None:
    url = server.url("/f", sends(BODY))
    with pytest.raises(OutputError, match="does not exist"):
        fetch(url, tmp_path / "missing")
    assert server.requests == []
