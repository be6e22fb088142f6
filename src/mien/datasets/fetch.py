"""A data set from an address: downloaded, checked and unpacked, or nothing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from mien.core.errors import DatasetError, OptionError
from mien.core.files import atomic_folder
from mien.datasets._archive import is_archive, unpack
from mien.zoo.download import Progress, check_address, download

MAX_BYTES = 10 << 30
"""Most bytes of a download, and of what is unpacked from it."""

_DEADLINE_S = 12 * 3600.0
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


def fetch(
    url: str,
    output: str | Path,
    *,
    sha256: str,
    max_bytes: int = MAX_BYTES,
    progress: Progress | None = None,
) -> Path:
    """Download a data set into the new folder `output` and return it; an archive is unpacked there.

    ZIP and TAR archives are told by their content. One that would write outside of the folder, holds
    links, devices or passwords, is torn, or is far larger than it looks is refused whole. Another file is
    kept as it is.

    Args:
        url: https, or http on this machine itself.
        output: a folder that does not exist yet, or is empty.
        sha256: of the download, 64 hexadecimal digits.
        max_bytes: most bytes to accept, before and after unpacking.
        progress: called with the bytes that have arrived and the bytes expected.

    Raises:
        OptionError: `sha256` is none.
        DownloadError: the address is not allowed, the transfer fails, or it brings another file.
        DatasetError: the archive is damaged or refused.
        OutputError: `output` is there already, or cannot be written.
    """
    digest = sha256.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise OptionError(f"a SHA-256 has 64 hexadecimal digits; {sha256[:80]!r} is none")
    check_address(url)
    with atomic_folder(output) as folder:
        arrived = folder / ".download"
        download(url, arrived, sha256=digest, limit=max_bytes, progress=progress, deadline=_DEADLINE_S)
        if is_archive(arrived):
            unpack(arrived, folder, max_bytes)
            arrived.unlink()
        elif (name := _file_name(url)).lower().endswith(_ARCHIVES):
            raise DatasetError(
                f"{name} is no archive, or a torn one, though its name says so; nothing was kept"
            )
        else:
            shutil.move(arrived, folder / name)
    return Path(output)


def _file_name(url: str) -> str:
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    return re.sub(r"[^\w.-]", "_", name).lstrip(".")[:100] or "download"
