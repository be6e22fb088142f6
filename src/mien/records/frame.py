"""Results as a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mien.core.errors import MissingExtraError
from mien.core.files import valid_text
from mien.core.results import ImageAnalysis
from mien.records._cells import value
from mien.records.schema import Item, columns_for, labels_of, normalized, rows

if TYPE_CHECKING:
    import pandas as pd

_DTYPES = {"text": "string", "integer": "Int64", "number": "float64"}


def to_frame(analyses: ImageAnalysis | Iterable[Item]) -> pd.DataFrame:
    r"""Return one row a face, with the columns of `COLUMNS`; a picture without a face keeps one row.

    Text columns have dtype "string", whole numbers "Int64", other numbers "float64"; an empty cell is
    NA (an uncertain face has no emotion). Results with different labels may be mixed: the table has the
    columns of all, in the order they came. Bytes of names that are not UTF-8 read `\xff`.

    Args:
        analyses: one result, or any number of results and failures.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtraError("pandas", "records") from None
    items = [analyses] if isinstance(analyses, ImageAnalysis) else [normalized(item) for item in analyses]
    labels = dict.fromkeys(label for item in items for label in labels_of(item) or ())
    table = [row for item in items for row in rows(item)]
    series = {}
    for column in columns_for(tuple(labels)):
        cells = [value(column, row.get(column.name)) for row in table]
        if column.kind == "text":
            cells = [None if cell is None else valid_text(str(cell)) for cell in cells]
        series[column.name] = pd.Series(cells, dtype=_DTYPES[column.kind])
    return pd.DataFrame(series)
