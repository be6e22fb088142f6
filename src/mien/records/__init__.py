"""Results as files and tables: JSON, JSON Lines, CSV, Excel, Parquet and pandas, from one schema."""

from mien.core.files import valid_text
from mien.records._cells import plain_text
from mien.records.frame import to_frame
from mien.records.reading import read, read_all
from mien.records.schema import COLUMNS, Column, Failure, Item, columns_for, rows
from mien.records.writers import (
    FORMATS,
    CsvWriter,
    ExcelWriter,
    JsonLinesWriter,
    JsonWriter,
    ParquetWriter,
    Writer,
    open_writer,
    write,
)

__all__ = [
    "COLUMNS",
    "FORMATS",
    "Column",
    "CsvWriter",
    "ExcelWriter",
    "Failure",
    "Item",
    "JsonLinesWriter",
    "JsonWriter",
    "ParquetWriter",
    "Writer",
    "columns_for",
    "open_writer",
    "plain_text",
    "read",
    "read_all",
    "rows",
    "to_frame",
    "valid_text",
    "write",
]
