"""A network camera on this machine: the least of RTSP (RFC 2326) and RTP (RFC 3550, 6184) that is one."""

from __future__ import annotations

import base64
import io
import re
import socket
import struct
import threading
from types import TracebackType
from typing import Self

import av
from film_support import HEIGHT, WIDTH, numbered

RATE = 25


class NetworkCamera:
    """Sends so many numbered frames to each that connects, then hangs up; a `with` block."""

    def __init__(self, frames: int, *, connections: int = 1, password: str | None = None) -> None:
        self._units = _encoded(frames)
        self._connections = connections
        self._password = password
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}/camera"
        self._thread = threading.Thread(target=self._serve)
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self._thread.join(30)

    def _serve(self) -> None:
        for _ in range(self._connections):
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(30)
                try:
                    self._talk(connection)
                except OSError:
                    continue
        self._server.close()

    def _talk(self, connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        while head := _request(reader):
            method, number = head.split(" ", 1)[0], re.search(r"(?mi)^CSeq: *(\d+)", head)[1]
            self.asked.append(method)
            extra, body = "", ""
            if self._password is not None and self._password not in _credentials(head):
                self._answer(connection, "401 Unauthorized", number, 'WWW-Authenticate: Basic realm="c"\r\n')
                continue
            if method == "DESCRIBE":
                body, extra = self._description(), "Content-Type: application/sdp\r\n"
            elif method == "SETUP":
                extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
            elif method == "PLAY":
                extra = "Session: 1\r\n"
            self._answer(connection, "200 OK", number, extra, body)
            if method == "PLAY":
                self._send(connection)
                return

    def _answer(
        self, connection: socket.socket, status: str, number: str, extra: str, body: str = ""
    ) -> None:
        text = f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{extra}Content-Length: {len(body)}\r\n\r\n{body}"
        connection.sendall(text.encode())

    def _description(self) -> str:
        sets = ",".join(
            base64.b64encode(next(u for u in self._units if u[0] & 31 == kind)).decode() for kind in (7, 8)
        )
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
            f"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n"
            f"a=framerate:{RATE}\r\na=control:track\r\n"
        )

    def _send(self, connection: socket.socket) -> None:
        frame = 0
        for sequence, unit in enumerate(self._units):
            is_picture = unit[0] & 31 in (1, 5)
            mark = 96 | 128 * is_picture
            packet = struct.pack(">BBHII", 128, mark, sequence, frame * 90_000 // RATE, 7) + unit
            connection.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            frame += is_picture


def _encoded(frames: int) -> list[bytes]:
    """Return the NAL units of an H.264 stream without frames that wait for later ones."""
    file = io.BytesIO()
    with av.open(file, "w", format="h264") as container:
        options = {"tune": "zerolatency", "preset": "ultrafast", "x264-params": "slices=1:threads=1"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for pixels in numbered(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return [unit for unit in re.split(rb"\x00?\x00\x00\x01", file.getvalue()) if unit]


def _request(reader: io.BufferedReader) -> str:
    lines = []
    while (line := reader.readline()) not in (b"\r\n", b""):
        lines.append(line.decode())
    return "".join(lines)


def _credentials(head: str) -> str:
    found = re.search(r"(?mi)^Authorization: Basic (\S+)", head)
    return base64.b64decode(found[1]).decode() if found else ""
