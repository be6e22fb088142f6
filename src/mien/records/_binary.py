"""The writers of Excel and Parquet, which need the extra `records`."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mien.core.errors import MissingExtraError, OutputError
from mien.core.files import shown, valid_text
from mien.core.version import __version__
from mien.records._cells import plain_text
from mien.records._table import Cells
from mien.records._writer import TableWriter
from mien.records.schema import Column, Result

_EXCEL_ROWS = 1_048_576
_EXCEL_TEXT = 32_767
_PARQUET_BATCH = 8192


class ExcelWriter(TableWriter):
    """A workbook: the sheet "faces" with one row a face, and the sheet "columns" with what they mean.

    Cells are as safe as in CsvWriter. Rows are streamed to the disk.
    """

    def _open_file(self, target: Path) -> None:
        try:
            import openpyxl
        except ImportError:
            raise MissingExtraError("openpyxl", "records") from None
        self._target_path = target
        self._book = openpyxl.Workbook(write_only=True)
        self._sheet: Any = self._book.create_sheet("faces")
        self._rows = 0

    def _write_head(self, columns: Sequence[Column]) -> None:
        from openpyxl.utils import get_column_letter

        self._columns = columns
        self._sheet.freeze_panes = "B2"
        for index, column in enumerate(columns, start=1):
            width = 40 if column.name in ("source", "error") else max(10, len(column.name) + 2)
            self._sheet.column_dimensions[get_column_letter(index)].width = width
        self._append([self._bold(self._sheet, column.name) for column in columns])

    def _write_row(self, cells: Cells) -> None:
        self._append([_excel_cell(cell) for cell in cells])

    def _close_file(self, *, failed: bool) -> None:
        if failed:
            # Saving is how openpyxl lets go of its own temporary files.
            self._book.save(io.BytesIO())
            return
        meanings: Any = self._book.create_sheet("columns")
        meanings.column_dimensions["A"].width = 24
        meanings.column_dimensions["C"].width = 90
        meanings.append([self._bold(meanings, head) for head in ("column", "kind", "meaning")])
        for column in self._columns:
            meanings.append([_excel_cell(text) for text in (column.name, column.kind, column.meaning)])
        self._book.save(self._target_path)

    def _append(self, cells: list[Any]) -> None:
        if self._rows == _EXCEL_ROWS:
            raise OutputError(
                f"{shown(self.path)} is full: an Excel sheet holds {_EXCEL_ROWS} rows; write .csv or .parquet"
            )
        self._rows += 1
        self._sheet.append(cells)

    def _bold(self, sheet: Any, text: str) -> Any:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Font

        cell = WriteOnlyCell(sheet, value=_excel_cell(text))
        cell.font = Font(bold=True)
        return cell


class ParquetWriter(TableWriter):
    r"""A Parquet file with one row a face: text as strings, whole numbers as int64, others as double.

    Text is as it is, only bytes that are not UTF-8 read `\xff`. The file's metadata has Mien's version.
    """

    def _open_file(self, target: Path) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise MissingExtraError("pyarrow", "records") from None
        self._pa: Any = pa
        self._pq: Any = pq
        self._target_path = target
        self._parquet: Any = None
        self._batch: list[Cells] = []
        self._kept = 0

    def _write_head(self, columns: Sequence[Column]) -> None:
        pa = self._pa
        types = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64()}
        fields = [
            pa.field(valid_text(c.name), types[c.kind], metadata={"meaning": valid_text(c.meaning)})
            for c in columns
        ]
        self._schema = pa.schema(fields, metadata={"mien_version": __version__})
        self._parquet = self._pq.ParquetWriter(self._target_path, self._schema)

    def _write(self, item: Result) -> None:
        before = len(self._batch)
        super()._write(item)
        self._kept = before if len(self._batch) >= before else 0

    def _take_back(self) -> None:
        del self._batch[self._kept :]

    def _write_row(self, cells: Cells) -> None:
        self._batch.append([valid_text(cell) if isinstance(cell, str) else cell for cell in cells])
        if len(self._batch) == _PARQUET_BATCH:
            self._flush()

    def _close_file(self, *, failed: bool) -> None:
        if self._parquet is None:
            return
        try:
            if not failed:
                self._flush()
        finally:
            self._parquet.close()

    def _flush(self) -> None:
        if not self._batch:
            return
        columns = [list(column) for column in zip(*self._batch, strict=True)]
        arrays = [
            self._pa.array(column, type=field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._batch = []
        self._parquet.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))


def _excel_cell(cell: str | int | float | None) -> str | int | float | None:
    if isinstance(cell, str):
        return plain_text(cell)[:_EXCEL_TEXT]
    # Excel has neither NaN nor infinity.
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell
