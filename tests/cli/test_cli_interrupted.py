"""Runs that are stopped in the middle: by people, by the system, by a full disk."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from cli_support import FACE, NO_FACE, make_photos

resource = pytest.importorskip("resource", reason="needs POSIX signals and limits")

MANY = 120


def sources(path: Path) -> list[str]:
    return [json.loads(line)["source"] for line in path.read_text(encoding="utf-8").splitlines()]


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("needs /proc with the children of a process")
    named = [int(child) for child in listed.read_text().split()]
    return [child for child in named if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.mark.parametrize(
    ("jobs", "number"), [("1", signal.SIGINT), ("2", signal.SIGINT), ("1", signal.SIGTERM)]
)
def test_a_stopped_run_leaves_what_is_done_readable_and_the_next_goes_on(
    jobs, number, start, mien, place: Path
) -> None:
    names = make_photos(place / "photos", MANY)
    arguments = ("analyze", "photos", "--output", "out.jsonl", "--no-rotate", "--jobs", jobs)
    # A group of its own, as a terminal's: Ctrl-C reaches the processes of the pool too.
    process = start(*arguments, start_new_session=True)
    process.stdout.readline()
    os.killpg(process.pid, number)
    _, err = process.communicate()

    assert process.returncode == 128 + number
    assert b"Traceback" not in err
    assert b"mien: wrote 'out.jsonl'" in err
    assert f"of {MANY} inputs left; the same command goes on".encode() in err
    done = sources(place / "out.jsonl")
    assert done == [f"photos/{Path(name).name}" for name in names][: len(done)]
    assert 0 < len(done) < MANY

    assert mien(*arguments).code == 0
    assert [Path(source).name for source in sources(place / "out.jsonl")] == [Path(n).name for n in names]
    assert sorted(path.name for path in place.iterdir()) == ["out.jsonl", "photos"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_the_file_of_an_earlier_one_alone(number, start, mien, place: Path) -> None:
    names = make_photos(place / "photos", MANY)
    assert mien("analyze", *names[:3], "--output", "out.jsonl", "--no-rotate").code == 0
    before = (place / "out.jsonl").read_bytes()
    arguments = ("analyze", "photos", "--output", "out.jsonl", "--no-rotate")
    process = start(*arguments)
    printed = process.stdout.readline()
    process.send_signal(number)
    rest, err = process.communicate()

    assert process.returncode == 128 + number
    assert (place / "out.jsonl").read_bytes() == before
    assert b"wrote" not in err
    left = b"left 'out.jsonl' as it was before this run; results so far are kept in 'out.jsonl.ledger'"
    assert left in err
    assert b"inputs left; the same command goes on" in err
    kept = (place / "out.jsonl.ledger").read_bytes().splitlines()[1:]
    assert len(kept) == len((printed + rest).splitlines()) > 0

    assert mien(*arguments).code == 0
    assert len(sources(place / "out.jsonl")) == MANY
    assert sorted(path.name for path in place.iterdir()) == ["out.jsonl", "photos"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_outright_it_goes_on_and_gives_one_result_an_input(jobs, start, mien, place: Path) -> None:
    make_photos(place / "photos", MANY)
    arguments = ("analyze", "photos", "--output", "out.jsonl", "--no-rotate", "--jobs", jobs)
    process = start(*arguments)
    process.stdout.readline()
    workers = children(process.pid)
    process.kill()
    process.communicate()  # ends only when the processes of the pool have let go of the pipe too
    assert len(workers) == (0 if jobs == "1" else 2)
    assert not (place / "out.jsonl").exists()

    kept = (place / "out.jsonl.ledger").read_bytes().splitlines()[1:]
    assert 0 < len(kept) < MANY
    ended = mien(*arguments)
    assert ended.code == 0
    assert len(ended.out.splitlines()) == MANY
    found = sources(place / "out.jsonl")
    assert len(found) == len(set(found)) == MANY
    results = [json.loads(line) for line in (place / "out.jsonl").read_text().splitlines()]
    before = {json.loads(line)["analysis"]["source"]: json.loads(line)["analysis"] for line in kept}
    assert [result for result in results if result["source"] in before] == list(before.values())


def test_a_killed_worker_costs_nothing(start, place: Path) -> None:
    make_photos(place / "photos", MANY)
    process = start("analyze", "photos", "--output", "out.jsonl", "--no-rotate", "--jobs", "2")
    process.stdout.readline()
    os.kill(children(process.pid)[0], signal.SIGKILL)
    process.communicate()
    assert process.returncode == 0
    assert len(set(sources(place / "out.jsonl"))) == len(sources(place / "out.jsonl")) == MANY


def test_going_on_with_other_options_is_refused_unless_started_over(start, mien, place: Path) -> None:
    make_photos(place / "photos", MANY)
    arguments = ("analyze", "photos", "--output", "out.jsonl", "--no-rotate")
    process = start(*arguments)
    process.stdout.readline()
    process.kill()
    process.communicate()

    refused = mien(*arguments, "--clahe")
    assert refused.code == 2
    assert "'out.jsonl.ledger' is of a run with other settings (options)" in refused.err
    assert mien(*arguments, "--clahe", "--no-resume").code == 0
    assert len(sources(place / "out.jsonl")) == MANY
    assert not (place / "out.jsonl.ledger").exists()


def test_a_ledger_that_was_asked_for_stays_and_spares_the_work(mien, place: Path) -> None:
    first = mien("analyze", FACE, NO_FACE, "--json", "--ledger", "done")
    again = mien("analyze", FACE, NO_FACE, "--json", "--ledger", "done")
    assert first.out == again.out  # also the seconds each took: they were not done again
    assert (place / "done").exists()


def test_a_reader_that_leaves_ends_the_run_quietly(start, place: Path) -> None:
    make_photos(place / "photos", MANY)
    process = start("analyze", "photos", "--no-rotate")
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    assert (process.wait(), err) == (141, b"")


def test_a_reader_that_leaves_does_not_cost_the_file(start, place: Path) -> None:
    make_photos(place / "photos", MANY)
    process = start("analyze", "photos", "--no-rotate", "--output", "out.jsonl")
    process.stdout.readline()
    process.stdout.close()
    process.stderr.read()
    assert process.wait() == 0
    assert len(sources(place / "out.jsonl")) == MANY


def test_a_full_disk_loses_nothing_that_was_done(start, mien, place: Path) -> None:
    count = 250
    make_photos(place / "photos", count)
    arguments = ("analyze", "photos", "--output", "out.jsonl", "--no-rotate")

    def small_files_only() -> None:  # a file that would grow beyond this fails as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (66_000, 66_000))

    process = start(*arguments, preexec_fn=small_files_only)
    _, err = process.communicate()
    assert process.returncode == 3
    assert b"Traceback" not in err
    assert b"cannot be written" in err
    assert b"the same command goes on" in err
    assert sorted(path.name for path in place.iterdir()) == ["out.jsonl.ledger", "photos"]

    assert mien(*arguments).code == 0
    assert len(set(sources(place / "out.jsonl"))) == len(sources(place / "out.jsonl")) == count


def test_a_disk_that_is_full_from_the_start_is_known_before_the_work(start, place: Path) -> None:
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    for option in ("--output=out.csv", "--annotate=drawn", "--ledger=done"):
        process = start("analyze", str(FACE), option, preexec_fn=no_room)
        out, err = process.communicate()
        assert (process.returncode, out, err.count(b"\n")) == (3, b"", 1)
        assert b"cannot be written" in err


def test_standard_output_that_is_full_is_three(start, place: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("wb") as full:
        process = start("analyze", str(FACE), "--json", stdout=full)
        _, err = process.communicate()
    assert process.returncode == 3
    assert err.count(b"\n") == 1
    assert b"results cannot be written" in err
