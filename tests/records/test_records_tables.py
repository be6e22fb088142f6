"""pandas, Excel and Parquet: the same rows as CSV, in their own types."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_strategies import analysis, items

from mien.core.errors import ImageFormatError
from mien.core.results import ImageAnalysis
from mien.core.version import __version__
from mien.records import COLUMNS, Failure, columns_for, rows, to_frame, write

pd = pytest.importorskip("pandas", reason="needs the extra records")
openpyxl = pytest.importorskip("openpyxl", reason="needs the extra records")
pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra records")

relaxed = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


@relaxed
@given(results=st.lists(items, min_size=1, max_size=3))
def test_frame_and_parquet_hold_the_rows_exactly(
    tmp_path: Path, results: list[ImageAnalysis | Failure]
) -> None:
    path = tmp_path / "a.parquet"
    write(results, path, labels=LABELS)
    expected = [row for item in results for row in rows(item)]
    frame = to_frame(results)
    table = pq.read_table(path)
    assert table.column_names == [column.name for column in columns_for(LABELS)]
    assert table.schema.metadata[b"mien_version"].decode() == __version__
    assert len(frame) == table.num_rows == len(expected)
    for column in columns_for(LABELS):
        stored = table[column.name].to_pylist()
        for index, row in enumerate(expected):
            wanted = row.get(column.name)
            if isinstance(wanted, str) and any("\ud800" <= c <= "\udfff" for c in wanted):
                assert "\\x" in stored[index]
                continue
            assert stored[index] == wanted
            if column.name in frame:
                cell = frame[column.name].iloc[index]
                assert pd.isna(cell) if wanted is None else cell == wanted


def test_frame_types_do_not_depend_on_the_rows() -> None:
    dtypes = {"text": "string", "integer": "Int64", "number": "float64"}
    for results in ([analysis()], [analysis(faces=0)], []):
        frame = to_frame(results)
        kinds = {column.name: dtypes[column.kind] for column in COLUMNS}
        for name in frame.columns:
            assert frame[name].dtype == kinds.get(name, "float64"), name


def test_frame_takes_one_result_and_any_mixture() -> None:
    assert len(to_frame(analysis(faces=2))) == 2
    mixed = to_frame(
        [analysis(), (None, ImageFormatError("no")), analysis("b.jpg", labels=("calm", "cross"))]
    )
    assert list(mixed["status"]) == ["face", "failed", "face"]
    assert mixed["score_calm"].isna().tolist() == [True, True, False]
    assert list(mixed["top"].fillna("")) == ["angry", "", "calm"]


@relaxed
@given(results=st.lists(items, min_size=1, max_size=3))
def test_excel_opens_and_holds_no_formula(tmp_path: Path, results: list[ImageAnalysis | Failure]) -> None:
    path = tmp_path / "a.xlsx"
    write(results, path)
    book = openpyxl.load_workbook(path)
    sheet = book["faces"]
    head = [cell.value for cell in sheet[1]]
    expected = [row for item in results for row in rows(item)]
    assert sheet.max_row == len(expected) + 1
    for cells, row in zip(sheet.iter_rows(min_row=2), expected, strict=True):
        for name, cell in zip(head, cells, strict=True):
            assert cell.data_type != "f"
            wanted = row.get(name)
            if isinstance(wanted, (int, float)):
                # openpyxl writes 16 digits; Excel itself keeps 15.
                assert cell.value == pytest.approx(wanted, rel=1e-14)


def test_excel_explains_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write([analysis("=cmd()")], path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["faces", "columns"]
    assert book["faces"]["A2"].value == "'=cmd()"
    explained = [row[0] for row in book["columns"].iter_rows(min_row=2, values_only=True)]
    assert explained == [cell.value for cell in book["faces"][1]]
