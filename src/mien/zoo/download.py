"""One file from one address, whole and checked, or nothing."""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib import error as urllib_error
from urllib import request as urllib_request
from urllib.parse import urlsplit

from mien.core.errors import DownloadError
from mien.core.files import atomic_path
from mien.core.version import __version__

Progress = Callable[[int, int | None], None]
"""Called with the bytes that have arrived and the bytes expected, None where the server does not say."""

_CHUNK = 1 << 16


def download(
    url: str,
    target: Path,
    *,
    sha256: str,
    limit: int,
    progress: Progress | None = None,
    timeout: float = 30.0,
    deadline: float = 600.0,
) -> None:
    """Fetch `url` into the file `target`, which appears only when all of it came and is the right one.

    Args:
        url: https, or http on this machine itself; the same holds wherever it redirects to.
        target: in a folder that exists.
        sha256: of the right content, 64 hexadecimal digits.
        limit: most bytes to accept.
        progress: told after each piece.
        timeout: seconds without a byte after which the transfer is given up.
        deadline: seconds for the whole transfer.

    Raises:
        DownloadError: the address is not allowed, the transfer fails, or it brings another file.
        OutputError: `target` cannot be written.
    """
    check_address(url)
    with atomic_path(target) as temporary:
        digest = _transfer(url, temporary, limit, progress, timeout, time.monotonic() + deadline)
        if digest != sha256:
            raise DownloadError(
                f"{url} brought a file with the SHA-256 {digest} and not {sha256}; nothing was kept: "
                "try again later, or from another address"
            )


def check_address(url: str) -> None:
    """Raise DownloadError unless `url` is https, or http on this machine itself."""
    if not (_is_https(url) or _is_loopback(url)):
        raise DownloadError(f"address {url!r} is not allowed; give one that starts with https://")


def _transfer(url: str, path: Path, limit: int, progress: Progress | None, timeout: float, end: float) -> str:
    """Write what `url` gives to `path` and return its SHA-256."""
    with _request(url, timeout) as response, path.open("wb") as file:
        expected = _expected_size(response, url)
        _check_size(expected or 0, limit, url)
        digest, done = hashlib.sha256(), 0
        while piece := _next_piece(response, url):
            done += len(piece)
            _check_size(done, limit, url)
            if time.monotonic() >= end:
                raise DownloadError(
                    f"{url} is too slow: {done} bytes came in the time allowed; try again later"
                )
            digest.update(piece)
            file.write(piece)
            if progress is not None:
                progress(done, expected)
    if expected is not None and done != expected:
        raise DownloadError(f"{url} broke off after {done} of {expected} bytes; try again")
    return digest.hexdigest()


def _request(url: str, timeout: float) -> Any:
    agent = {"User-Agent": f"mien/{__version__}", "Accept-Encoding": "identity"}
    # A proxy is for the way out; what is asked of this machine itself stays on it.
    proxies = urllib_request.ProxyHandler({} if _is_loopback(url) else None)
    opener = urllib_request.build_opener(proxies, _SafeRedirects())
    try:
        return opener.open(urllib_request.Request(url, headers=agent), timeout=timeout)
    except urllib_error.HTTPError as error:
        error.close()
        raise DownloadError(f"{url} answered {error.code} {error.reason}; {_advice(error.code)}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise DownloadError(f"{url} cannot be reached: {why}; check the connection") from error


def _advice(status: int) -> str:
    """Say what to do about an answer that is no file."""
    if status in (404, 410):
        return "nothing is there: check the address"
    if status in (401, 403, 407, 451):
        return "it may not be fetched: check the address, or whether it asks for an account"
    return "check the address" if 400 <= status < 500 and status not in (408, 425, 429) else "try again later"


def _next_piece(response: Any, url: str) -> bytes:
    try:
        # read1 returns what has come, where read would wait for a whole piece and hide a slow sender.
        piece: bytes = response.read1(_CHUNK)
        return piece
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(
            f"the transfer from {url} failed: {str(error) or type(error).__name__}; try again"
        ) from error


def _expected_size(response: Any, url: str) -> int | None:
    stated = response.headers.get("Content-Length")
    if stated is None:
        return None
    if not stated.isascii() or not stated.isdigit():
        raise DownloadError(f"{url} states a length of {stated!r}, which is no number; try another address")
    return int(stated)


def _check_size(size: int, limit: int, url: str) -> None:
    if size > limit:
        raise DownloadError(
            f"{url} sends more than the {limit} bytes of the file asked for; nothing was kept"
        )


class _SafeRedirects(urllib_request.HTTPRedirectHandler):
    max_redirections = 5

    def redirect_request(
        self, req: urllib_request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib_request.Request | None:
        if not (_is_https(newurl) or (_is_loopback(req.full_url) and _is_loopback(newurl))):
            fp.close()
            raise DownloadError(f"{req.full_url} redirects to {newurl!r}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_https(url: str) -> bool:
    scheme, host = _scheme_and_host(url)
    return scheme == "https" and bool(host)


def _is_loopback(url: str) -> bool:
    scheme, host = _scheme_and_host(url)
    if scheme != "http":
        return False
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _scheme_and_host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return parts.scheme.lower(), parts.hostname or ""
    except ValueError:
        return "", ""
