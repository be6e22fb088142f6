"""The triggers that keep the totals, for SQLite and PostgreSQL, and making the totals anew.

Both databases get the same statements; they differ in what a trigger sees (SQLite one row, PostgreSQL all
rows of a statement) and in how a time becomes a slot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import connection, transaction

from mien.web.analyses.models import AnalysedFace, Analysis
from mien.web.dashboard.models import BINS, DAY, EVERYONE, QUARTER, Reading, Use

_SLOT = {
    "sqlite": "CAST(strftime('%s', created) AS INTEGER) / 900",
    "postgresql": "floor(extract(epoch FROM created) / 900)::integer",
}
# each row counts for its owner and for everyone, in its quarter hour and in its day
_CELLS = f"""(SELECT 1 AS own, {QUARTER} AS span UNION ALL SELECT 0, {QUARTER}
    UNION ALL SELECT 1, {DAY} UNION ALL SELECT 0, {DAY}) AS cells"""
_SCOPE = f"CASE own WHEN 1 THEN owner_id ELSE {EVERYONE} END AS scope, span, moment / span * span AS slot"
_GROUPS = f"CASE own WHEN 1 THEN owner_id ELSE {EVERYONE} END, span, moment / span * span"
# any number: whoever changes totals does so one after the other, until its transaction ends
_LOCK = 7_461_656


class _Kept(NamedTuple):
    """A table of totals, and the statement that counts rows for it."""

    table: str
    keys: tuple[str, ...]
    numbers: tuple[str, ...]
    counting: str
    empty: str


def _of_uses(number: str) -> _Kept:
    count = f"""SELECT {_SCOPE}, source, count(*) AS {number}
        FROM (SELECT owner_id, source, {{slot}} AS moment FROM {{rows}}) AS found, {_CELLS}
        GROUP BY {_GROUPS}, source"""
    keys = ("scope", "span", "slot", "source")
    return _Kept(Use._meta.db_table, keys, (number,), count, "faces <= 0 AND analyses <= 0")


def _of_readings() -> _Kept:
    bins = ", ".join(
        f"sum(CASE bin WHEN {place} THEN 1 ELSE 0 END) AS {name}" for place, name in enumerate(BINS)
    )
    count = f"""SELECT {_SCOPE}, emotion, count(*) AS faces, sum(millionths) AS confidence, {bins}
        FROM (SELECT owner_id, COALESCE(emotion, '') AS emotion, {{slot}} AS moment,
            CAST(round(confidence * 1000000) AS BIGINT) AS millionths,
            CASE {" ".join(f"WHEN confidence < 0.{place + 1} THEN {place}" for place in range(9))}
            ELSE 9 END AS bin FROM {{rows}}) AS found, {_CELLS}
        GROUP BY {_GROUPS}, emotion"""
    keys = ("scope", "span", "slot", "emotion")
    return _Kept(Reading._meta.db_table, keys, ("faces", "confidence", *BINS), count, "faces <= 0")


_KEPT = {
    Analysis._meta.db_table: (_of_uses("analyses"),),
    AnalysedFace._meta.db_table: (_of_uses("faces"), _of_readings()),
}
# what of a row the totals depend on
_COLUMNS = {
    Analysis._meta.db_table: ("owner_id", "created", "source"),
    AnalysedFace._meta.db_table: ("owner_id", "created", "source", "emotion", "confidence"),
}


def install(**_signal: Any) -> None:
    """Make sure that the triggers are there, after every migration; where one was missing, count anew.

    SQLite loses a table's triggers when a migration makes the table again.
    """
    tables = set(connection.introspection.table_names())
    if not {*_KEPT, Use._meta.db_table, Reading._meta.db_table} <= tables:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        present = _present(cursor)
        missing = [trigger for trigger in _triggers() if trigger[0] not in present]
        for _name, statements in missing:
            for statement in statements:
                cursor.execute(statement)
        if missing:
            _count_anew(cursor)


def rebuild() -> None:
    """Count everything anew."""
    with transaction.atomic(), connection.cursor() as cursor:
        _count_anew(cursor)


def _count_anew(cursor: Any) -> None:
    if connection.vendor == "postgresql":
        cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
    for totals in (Use, Reading):
        cursor.execute(f"DELETE FROM {totals._meta.db_table}")
    for table, found in _KEPT.items():
        for kept in found:
            cursor.execute(_add(kept, table))


def _add(kept: _Kept, rows: str) -> str:
    names = ", ".join((*kept.keys, *kept.numbers))
    others = _missing_number(kept)
    sums = ", ".join(f"{number} = {kept.table}.{number} + excluded.{number}" for number in kept.numbers)
    return f"""INSERT INTO {kept.table} ({names}{"".join(f", {name}" for name in others)})
        SELECT {names}{", 0" * len(others)} FROM ({_counted(kept, rows)}) AS counted WHERE 1 = 1
        ON CONFLICT ({", ".join(kept.keys)}) DO UPDATE SET {sums}"""


def _missing_number(kept: _Kept) -> list[str]:
    """The number of a use that this count says nothing about."""
    both = ("analyses", "faces") if kept.table == Use._meta.db_table else ()
    return [name for name in both if name not in kept.numbers]


def _take(kept: _Kept, rows: str) -> list[str]:
    differences = ", ".join(f"{number} = {kept.table}.{number} - counted.{number}" for number in kept.numbers)
    same = " AND ".join(f"{kept.table}.{key} = counted.{key}" for key in kept.keys)
    return [
        f"""UPDATE {kept.table} SET {differences}
        FROM ({_counted(kept, rows)}) AS counted WHERE {same}""",
        f"DELETE FROM {kept.table} WHERE {kept.empty}",
    ]


def _counted(kept: _Kept, rows: str) -> str:
    return kept.counting.format(slot=_SLOT[connection.vendor], rows=rows)


def _triggers() -> Iterator[tuple[str, list[str]]]:
    """Each trigger's name and the statements that make it."""
    make = _of_postgresql if connection.vendor == "postgresql" else _of_sqlite
    for table in _KEPT:
        for event in ("insert", "update", "delete"):
            name = f"{table}_{event}_totals"
            yield name, make(name, table, event)


def _body(table: str, event: str, old: str, new: str) -> str:
    statements = []
    for kept in _KEPT[table]:
        statements += _take(kept, old) if event != "insert" else []
        statements += [_add(kept, new)] if event != "delete" else []
    return ";\n".join(statements) + ";"


def _of_sqlite(name: str, table: str, event: str) -> list[str]:
    columns = _COLUMNS[table]
    one = {
        which: f"(SELECT {', '.join(f'{which}.{column} AS {column}' for column in columns)}) AS one"
        for which in ("old", "new")
    }
    when = f"UPDATE OF {', '.join(columns)}" if event == "update" else event.upper()
    body = _body(table, event, one["old"], one["new"])
    return [f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH ROW BEGIN {body} END"]


def _of_postgresql(name: str, table: str, event: str) -> list[str]:
    seen = {"insert": "NEW TABLE AS added", "delete": "OLD TABLE AS removed"}
    tables = seen.get(event, " ".join(seen.values()))
    body = _body(table, event, "removed", "added")
    return [
        f"""CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock({_LOCK}); {body} RETURN NULL; END $$""",
        f"""CREATE TRIGGER {name} AFTER {event.upper()} ON {table} REFERENCING {tables}
        FOR EACH STATEMENT EXECUTE FUNCTION {name}()""",
    ]


def _present(cursor: Any) -> set[str]:
    if connection.vendor == "postgresql":
        cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
    else:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    return {name for (name,) in cursor.fetchall()}
