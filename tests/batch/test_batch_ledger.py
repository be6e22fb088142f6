from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePath

import pytest
from batch_workers import result
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.batch import Item, Ledger
from mien.core.errors import OptionError, OutputError

RUN = {"options": "0" * 16, "model": {"name": "fake", "digest": "0" * 64}}
ITEM = Item("/a.jpg", "a.jpg", Path("a.jpg"), PurePath("a.jpg"), size=10, mtime_ns=20)


def numbered(number: int) -> Item:
    return replace(ITEM, key=f"/{number}.jpg", name=f"{number}.jpg")


def filled(path: Path, count: int) -> Path:
    with Ledger(path, RUN) as ledger:
        for number in range(count):
            ledger.add(numbered(number), result(f"{number}.jpg"))
    return path


def test_a_result_comes_back_under_the_name_it_is_asked_for(tmp_path: Path) -> None:
    path = filled(tmp_path / "ledger", 2)
    with Ledger(path, RUN) as ledger:
        assert ledger.find(numbered(1)) == result("1.jpg")
        assert ledger.find(replace(numbered(1), name="./1.jpg")) == result("./1.jpg")
        assert ledger.find(numbered(2)) is None


@pytest.mark.parametrize("change", [{"size": 11}, {"mtime_ns": 21}, {"target": Path("drawn.jpg")}])
def test_a_changed_item_is_not_done(change: dict[str, object], tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger", RUN) as ledger:
        ledger.add(ITEM, result("a.jpg"))
        assert ledger.find(ITEM) is not None
        assert ledger.find(replace(ITEM, **change)) is None


def test_an_item_whose_annotated_picture_is_gone_is_not_done(tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.jpg"
    drawn.touch()
    item = replace(ITEM, target=drawn)
    with Ledger(tmp_path / "ledger", RUN) as ledger:
        ledger.add(item, result("a.jpg"))
        assert ledger.find(item) is not None
        drawn.unlink()
        assert ledger.find(item) is None


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_cut_anywhere_it_keeps_every_whole_line_and_goes_on(tmp_path_factory, data: st.DataObject) -> None:
    path = filled(tmp_path_factory.mktemp("cut") / "ledger", 5)
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:cut])
    whole = max(0, content[:cut].count(b"\n") - 1)

    with Ledger(path, RUN) as ledger:
        assert len(ledger) == whole
        ledger.add(numbered(9), result("9.jpg"))
    with Ledger(path, RUN) as ledger:
        assert [ledger.find(numbered(n)) is not None for n in (*range(5), 9)] == [
            *(n < whole for n in range(5)),
            True,
        ]


def test_a_damaged_line_costs_only_its_item(tmp_path: Path) -> None:
    path = filled(tmp_path / "ledger", 3)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b'{"key": 3}\n'
    path.write_bytes(b"".join(lines))
    with Ledger(path, RUN) as ledger:
        assert [ledger.find(numbered(n)) is not None for n in range(3)] == [True, False, True]


def test_another_run_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = filled(tmp_path / "ledger", 1)
    before = path.read_bytes()
    with pytest.raises(OptionError, match=r"other settings \(options\).*--no-resume"):
        Ledger(path, {**RUN, "options": "1" * 16})
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", b"no line end", b'{"key": 1}\n', b"\xff\xfe\n", b'{"ledger": \n']
)
def test_a_file_that_is_no_ledger_is_refused_and_stays_as_it_is(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(OptionError, match="not a ledger"):
        Ledger(path, RUN)
    assert path.read_bytes() == content


def test_starting_over_forgets(tmp_path: Path) -> None:
    path = filled(tmp_path / "ledger", 2)
    with Ledger(path, {"other": 1}, fresh=True) as ledger:
        assert len(ledger) == 0


def test_starting_over_does_not_empty_what_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_bytes(b"years of work\n")
    with pytest.raises(OptionError, match="not a ledger"):
        Ledger(path, RUN, fresh=True)
    assert path.read_bytes() == b"years of work\n"


def test_two_runs_cannot_share_one(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="needs file locks")
    with Ledger(tmp_path / "ledger", RUN), pytest.raises(OutputError, match="in use"):
        Ledger(tmp_path / "ledger", RUN)


def test_it_can_be_removed_when_all_is_done(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger", RUN) as ledger:
        ledger.remove()
    assert not (tmp_path / "ledger").exists()


def test_lines_are_plain_json_whatever_the_name(tmp_path: Path) -> None:
    name = "new\nline\udcff.jpg"  # as a byte that is no UTF-8 reaches text
    item = replace(ITEM, key=f"/{name}", name=name)
    with Ledger(tmp_path / "ledger", RUN) as ledger:
        ledger.add(item, result("x"))
        assert ledger.find(item) is not None
    lines = (tmp_path / "ledger").read_text(encoding="ascii").splitlines()
    assert json.loads(lines[1])["key"] == f"/{name}"


def test_a_folder_that_is_missing_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        Ledger(tmp_path / "no" / "ledger", RUN)
