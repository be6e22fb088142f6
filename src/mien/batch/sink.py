"""Where results go: checked before the work begins, whole when it has ended."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mien.batch.items import Outcome
from mien.core.errors import OutputError
from mien.core.files import ensure_folder, reason, shown

# Enough to notice a full disk, which still makes empty files.
_PROBE = bytes(64 * 1024)


def check_output(path: Path) -> None:
    """Make sure that `path` can be written: its folder is there (or can be made), has room and allows it.

    Raises:
        OptionError: no format has its suffix.
        OutputError: it cannot be written.
    """
    from mien.records import open_writer

    open_writer(path)
    if path.is_dir():
        raise OutputError(f"{shown(path)} is a folder; name a file in it")
    check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """Make sure that files can be written in `folder`, making it where it is missing.

    Raises:
        OutputError: they cannot.
    """
    ensure_folder(folder)
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(_PROBE)
            probe.flush()
    except OSError as error:
        raise OutputError(
            f"folder {shown(folder)} cannot be written: {reason(error)}; make room or choose another"
        ) from error


class _NoFileError(Exception):
    """Leaves the block of a writer so that it writes nothing."""


@contextmanager
def result_file(
    path: Path, *, labels: Sequence[str] | None = None, is_wanted: Callable[[], bool] | None = None
) -> Iterator[Callable[[Outcome], None]]:
    """Give a function that writes outcomes, failures too, to `path` in the format of its suffix.

    The file appears whole when the block ends well. Where every outcome was a failure it does not, and
    one that was there before stays as it was.

    Args:
        path: ends in a suffix of `mien.records.FORMATS`.
        labels: of the model, for the columns of a table.
        is_wanted: asked at the end of the block; where it says no, nothing is written.

    Raises:
        OptionError: the suffix is unknown.
        MissingExtraError: the format needs a part of Mien that is not installed.
        OutputError: the file cannot be written.
    """
    from mien.core.images import describe_source
    from mien.records import Failure, open_writer

    done = 0
    with suppress(_NoFileError), open_writer(path, labels=labels) as writer:

        def write(outcome: Outcome) -> None:
            nonlocal done
            if outcome.error is not None:
                writer.write(Failure.of(describe_source(outcome.item.name), outcome.error))
            elif outcome.analysis is not None:
                writer.write(outcome.analysis)
                done += 1

        yield write
        if not done or not (is_wanted is None or is_wanted()):
            raise _NoFileError
