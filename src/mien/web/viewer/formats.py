"""The formats that tables of the database are exported in: no cell in them is run as a formula."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from import_export.formats import base_formats

from mien.records import plain_text


class _Safe(base_formats.TablibFormat):
    def export_data(self, dataset: Any, **kwargs: Any) -> Any:
        """Return the file, every text made safe for spreadsheets."""
        for _row in range(len(dataset)):
            row = dataset.lpop()
            dataset.append([plain_text(cell) if isinstance(cell, str) else cell for cell in row])
        return super().export_data(dataset, **kwargs)


class Csv(_Safe, base_formats.CSV):
    """CSV, UTF-8."""


class Excel(_Safe, base_formats.XLSX):
    """Excel."""


class Json(base_formats.JSON):
    """JSON: an array with an object a row; nothing runs a text of it."""


class Page(base_formats.Format):
    """One page of HTML that needs nothing else: opened from a disk, printed, sent."""

    def get_title(self) -> str:
        """The name in the list of formats."""
        return "html"

    def can_export(self) -> bool:
        """It is for people."""
        return True

    def is_binary(self) -> bool:
        """It is text."""
        return False

    def get_extension(self) -> str:
        """As browsers know it."""
        return "html"

    def get_content_type(self) -> str:
        """As browsers know it."""
        return "text/html; charset=utf-8"

    def export_data(self, dataset: Any, **kwargs: Any) -> str:
        """Return the page."""
        context = {"title": dataset.title, "headers": dataset.headers, "rows": list(dataset)}
        return render_to_string("viewer/export.html", {**context, "made": timezone.now()})


FORMATS = [Csv, Json, Excel, Page]
