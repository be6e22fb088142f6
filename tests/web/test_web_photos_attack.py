"""Hostile uploads through the real server: each its 4xx, nothing left behind, and the server lives."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from server_support import Answer, Visitor, mien, serving
from web_support import FACE, PASSWORD

FORM = "multipart/form-data; boundary=x"
PHOTO = 'name="photos"; filename="a.jpg"'


def part(content: bytes, head: str = PHOTO) -> bytes:
    return f"--x\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"


END = b"--x--\r\n"


class Site:
    """A server with someone logged in, whose database and temporary files can be looked at."""

    def __init__(self, visitor: Visitor, data: Path, temporary: Path) -> None:
        self.visitor, self.data, self.temporary = visitor, data, temporary

    def send(self, body: bytes, kind: str = FORM) -> Answer:
        return self.visitor.post("/photos/", body, kind)

    def left(self) -> tuple[int, list[Path]]:
        """The analyses that are kept, and files of any kind that requests made."""
        with closing(sqlite3.connect(self.data / "web" / "mien.sqlite3")) as database:
            (count,) = database.execute("select count(*) from analyses_analysis").fetchone()
        pictures = self.data / "web" / "pictures"
        return int(count), [path for folder in (self.temporary, pictures) for path in folder.rglob("*")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data, temporary = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("temporary")
    assert mien(data, "user", "create", "ada", text=PASSWORD + "\n").returncode == 0
    settings = {"TMPDIR": str(temporary), "MIEN_BATCH_PHOTOS": "5", "MIEN_DATABASE_WAIT_SECONDS": "1"}
    with serving(data, **settings) as server:
        visitor = Visitor(server)
        visitor.log_in("ada", PASSWORD)
        visitor.send("/privacy/consent/", agree="yes")
        yield Site(visitor, data, temporary)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (part(b""), 400),
        (part(b"\xff" * 3_000_000) + END, 422),
        (part(FACE.read_bytes()[:20_000]) + END, 422),
        (part(b"x" * 11_000_000) + END, 413),
        (part(FACE.read_bytes()) * 6 + END, 413),
        (part(b"v", 'name="f"') * 100_000 + END, 413),
        (part(b"", 'name="photos"; filename="a"') * 100_000 + END, 413),
        (b"--x\r\n" * 100_000, 413),
        (part(b"v" * 2_000_000, 'name="f"') + END, 413),
        (b"--x\r\n" + b"A: " + b"a" * 100_000 + b"\r\n\r\n--x--", 400),
        (part(b"x", 'name="photos"; filename="' + "../" * 200 + 'a.jpg"') + END, 422),
        (part(b"x", 'name="photos"; filename="' + "a" * 50_000 + '"') + END, 400),
        (part(b"x", 'name="photos"; filename="a\0b\r.jpg"') + END, 422),
    ],
    ids=[
        "nothing",
        "no end",
        "noise",
        "half",
        "large",
        "many photos",
        "many fields",
        "many files",
        "only boundaries",
        "large field",
        "long header",
        "long name",
        "longer name",
        "nul in the name",
    ],
)
def test_what_is_hostile_is_refused_and_leaves_nothing(site: Site, body: bytes, status: int) -> None:
    answer = site.send(body)
    assert answer.status == status
    assert "Traceback" not in answer.text
    assert "<main" in answer.text
    assert site.left() == (0, [])
    assert site.visitor.open("/photos/").status == 200


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data", "multipart/form-data; boundary=" + "b" * 300, "text/plain", "application/json"],
)
def test_a_body_of_another_kind_is_refused(site: Site, kind: str) -> None:
    assert site.send(part(FACE.read_bytes()) + END, kind).status == 400
    assert site.left() == (0, [])


def test_a_locked_database_takes_no_photo_and_keeps_no_file(site: Site) -> None:
    body = part(b"yes", 'name="keep"') + part(FACE.read_bytes()) + END
    with closing(sqlite3.connect(site.data / "web" / "mien.sqlite3", isolation_level=None)) as other:
        other.execute("begin immediate")
        answer = site.send(body)
        other.execute("rollback")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    count, files = site.left()
    assert count == 0
    assert [path for path in files if path.is_file()] == []
    assert site.send(body).status == 200  # led on to its result
    assert site.left()[0] == 1


def test_an_export_comes_whole_and_leaves_nothing(site: Site) -> None:
    assert site.send(part(FACE.read_bytes()) + END).status == 200
    answer = site.visitor.open("/history/export/?as=csv")
    assert answer.status == 200
    assert int(answer.headers["Content-Length"]) == len(answer.text.encode())
    assert answer.text.startswith("source,status,")
    assert [path for path in site.temporary.rglob("*") if path.is_file()] == []
