"""Results as files and tables: JSON, JSON Lines, CSV, Excel, Parquet, pandas, subtitles, ELAN; one schema."""

from mien.core.files import valid_text
from mien.records._cells import plain_text
from mien.records.detect_video import DetectVideoWriter, detect_video
from mien.records.frame import to_frame
from mien.records.reading import read, read_all
from mien.records.schema import COLUMNS, Column, Failure, Item, Result, columns_for, rows
from mien.records.summary import SUMMARY_FORMATS, read_summary, write_summary
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
    "SUMMARY_FORMATS",
    "Column",
    "CsvWriter",
    "DetectVideoWriter",
    "ExcelWriter",
    "Failure",
    "Item",
    "JsonLinesWriter",
    "JsonWriter",
    "ParquetWriter",
    "Result",
    "Writer",
    "columns_for",
    "detect_video",
    "open_writer",
    "plain_text",
    "read",
    "read_all",
    "read_summary",
    "rows",
    "to_frame",
    "valid_text",
    "write",
    "write_summary",
]
