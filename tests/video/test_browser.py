"""The annotated film in a real browser: it loads, seeks and shows its frames."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

import numpy as np
import pytest
from film_support import HEIGHT, WIDTH, make_film, number_of, numbered

from mien.core.results import FrameAnalysis
from mien.video.annotated import AnnotatedFilm
from mien.video.film import Film
from mien.video.write import FilmWriter

PAGE = """<!doctype html><video muted src="film.mp4"></video><script>
const video = document.querySelector("video");
const say = what => fetch("/said", {method: "POST", body: JSON.stringify(what)});
video.onerror = () => say({error: video.error.message});
video.onloadedmetadata = () => { video.currentTime = 1.02; };
video.onseeked = () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const pixels = Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data);
  say({width: canvas.width, height: canvas.height, seconds: video.duration, pixels});
};
</script>"""


def browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("needs Chromium, to play a film in")


@contextmanager
def served(film: Path) -> Iterator[tuple[str, Queue[dict]]]:
    """Serve the page and the film, and give what the page says."""
    said: Queue[dict] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = film.read_bytes() if self.path == "/film.mp4" else PAGE.encode()
            kind = "video/mp4" if self.path == "/film.mp4" else "text/html"
            first, code = 0, 200
            if match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
                first, code = int(match[1]), 206
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(content) - first))
            if code == 206:
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            self.wfile.write(content[first:])

        def do_POST(self) -> None:
            said.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", said
    finally:
        server.shutdown()
        server.server_close()


def test_an_annotated_film_plays_in_a_browser(tmp_path: Path) -> None:
    program = browser()
    source = make_film(tmp_path / "source.mkv", numbered(50), sound="aac", sound_s=2.0)
    with AnnotatedFilm(FilmWriter(tmp_path / "film.mp4", WIDTH, HEIGHT, rate=25, sound=source)) as film:
        for frame in Film(source):
            film.write(frame, FrameAnalysis(frame.index, frame.time_s, ()))
    with served(tmp_path / "film.mp4") as (address, said):
        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio"]
        process = subprocess.Popen(
            [*command, f"--user-data-dir={tmp_path / 'profile'}", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            answer = said.get(timeout=120)
        finally:
            process.terminate()
            process.wait()
    assert "error" not in answer, answer
    assert (answer["width"], answer["height"]) == (WIDTH, HEIGHT)
    assert answer["seconds"] == pytest.approx(2.0, abs=0.15)
    shown = np.array(answer["pixels"], np.uint8).reshape(HEIGHT, WIDTH, 4)[..., :3]
    assert number_of(shown) == 25  # the frame at 1.00 s
