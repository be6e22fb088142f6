"""A PostgreSQL of one's own in a temporary folder: started, used, thrown away.

    python tests/web/postgres_support.py COMMAND [ARGUMENT]...

runs a command with MIEN_TEST_DATABASE_URL set; `make test-postgres` runs the tests of the web product so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

_PLACES = "/usr/lib/postgresql/*/bin"  # Debian's; not on the PATH
_FAST = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=60"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, the newest where there are several."""
    found = shutil.which("initdb")
    if found and shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    places = sorted(Path("/").glob(_PLACES.lstrip("/")), key=lambda path: float(path.parent.name))
    return next((place for place in reversed(places) if (place / "initdb").is_file()), None)


@contextmanager
def cluster() -> Iterator[str]:
    """The address of an empty database `mien` on a server that nobody else reaches."""
    binaries = programs()
    assert binaries is not None, "needs postgresql"
    # sockets have short names only, and the folder belongs to the user that the server runs as
    folder = Path(tempfile.mkdtemp(prefix="mien-pg-"))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        _run(
            [binaries / "initdb", "-D", data, "-U", "mien", "--auth=trust", "-E", "UTF8", "--locale=C", "-N"]
        )
        options = f"-k {folder} -c listen_addresses='' {_FAST}"
        _run(
            [binaries / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-t", "60", "-o", options, "start"]
        )
        try:
            _run([binaries / "createdb", "-h", folder, "-U", "mien", "mien"])
            yield f"postgres://mien@{quote(str(folder), safe='')}/mien"
        finally:
            _run([binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[object]) -> None:
    """Run a program of PostgreSQL, which refuses to be root."""
    words = [str(word) for word in command]
    if os.getuid() == 0:
        words = ["runuser", "-u", "postgres", "--", *words]
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(
        words,
        env=environment,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout


def main() -> int:
    """Run the command that was given on a database of its own."""
    if programs() is None:
        reason = "needs postgresql: initdb and pg_ctl are not here (Debian: apt install postgresql)"
        required = "postgresql" in os.environ.get("MIEN_REQUIRE", "").replace(",", " ").split()
        print(f"{'MIEN_REQUIRE names postgresql, but it' if required else 'skipped: it'} {reason}")
        return 1 if required else 0
    with cluster() as address:
        environment = {**os.environ, "MIEN_TEST_DATABASE_URL": address}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
