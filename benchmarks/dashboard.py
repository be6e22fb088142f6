"""The dashboard's queries over one million faces in SQLite, beside `select count(*)` over the same faces."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from benchmarks.measure import Figure, figure

FACES, PHOTOS, DAYS = 1_000_000, 600_000, 1_095
LIMIT_MS = 300.0
REPETITIONS = 7
# with two changes of the clock a year, and days that do not begin with those of UTC
ZONE = "Europe/Bucharest"
_SCORES = (
    '[["angry", 0.0121], ["disgust", 0.0012], ["fear", 0.0411], ["happy", 0.8834], ["neutral", 0.0412], '
    '["sad", 0.0101], ["surprise", 0.0109]]'
)
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
# one user has nine of ten photos; more by day than by night, spread over three years
_PHOTOS = (
    _NUMBERS.format(last=PHOTOS - 1)
    + f"""
    INSERT INTO analyses_analysis (id, uid, owner_id, created, source, name, width, height, face_count,
        model_name, model_digest, detector, options, elapsed_s, version, notes)
    SELECT i + 1, lower(hex(randomblob(16))), CASE i % 10 WHEN 0 THEN :other ELSE :owner END,
        strftime('%Y-%m-%d %H:%M:%f', :begin + i * {DAYS * 86_400 / PHOTOS} + i * 7919 % 36000, 'unixepoch'),
        CASE WHEN i % 7 = 0 THEN 'api' WHEN i % 11 = 0 THEN 'camera' ELSE 'upload' END, 'photo.jpg', 640, 480,
        1 + (i % 3 < 2), 'mien', '', 'yunet', '', 0.05, '0.1.0', '' FROM n"""
)
_FACES = f"""
    INSERT INTO analyses_analysedface (analysis_id, owner_id, created, source, position, emotion, top,
        confidence, scores, x, y, width, height, quality)
    SELECT id, owner_id, created, source, at,
        CASE WHEN id * 31 % 97 < 12 THEN NULL ELSE label END, label, 0.2 + (id * 7907 + at) % 800 / 1000.0,
        '{_SCORES}', 10, 10, 90, 90, '{{"reasons": []}}'
    FROM (SELECT id, owner_id, created, source, at, face_count, CASE (id * 7 + at) % 11
        WHEN 0 THEN 'angry' WHEN 1 THEN 'disgust' WHEN 2 THEN 'fear' WHEN 3 THEN 'sad' WHEN 4 THEN 'surprise'
        WHEN 5 THEN 'neutral' WHEN 6 THEN 'neutral' ELSE 'happy' END AS label
        FROM analyses_analysis CROSS JOIN (SELECT 0 AS at UNION ALL SELECT 1))
    WHERE at < face_count"""


def run() -> Iterator[Figure]:
    """Fill a database of its own, then time every query of the whole three years, and how it is answered."""
    os.environ["DATABASE_URL"] = ""  # never into someone's own database
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mien.web.settings")
    import django

    django.setup()
    owner = _fill()
    from django.db import connection

    from mien.web.analyses.models import AnalysedFace
    from mien.web.dashboard import statistics

    assert AnalysedFace.objects.count() == FACES
    counting = _milliseconds(lambda: AnalysedFace.objects.count())
    beside = {"count(*) of the faces, ms": float(np.median(counting))}
    for who, user in (("one user", owner), ("everyone", None)):
        period = statistics.period_for(user, "all", zone=ZONE)
        for name, query in statistics.queries(user, period).items():
            taken = _milliseconds(lambda query=query: list(query.all()))
            plan = " / ".join(query.explain().split("\n"))
            title = f"dashboard of {who}, 1 M faces: {name}"
            yield figure(title, taken, limit=LIMIT_MS, unit="ms", **beside, plan=plan)
        taken = _milliseconds(lambda user=user: statistics.period_for(user, "all", zone=ZONE))
        yield figure(f"dashboard of {who}, 1 M faces: first day", taken, limit=LIMIT_MS, unit="ms", **beside)
        whole = _milliseconds(lambda user=user, period=period: statistics.statistics(user, period))
        yield figure(
            f"dashboard of {who}, 1 M faces: all numbers of a page",
            whole,
            limit=2 * LIMIT_MS,
            unit="ms",
            **beside,
        )
    connection.close()


def _fill() -> Any:
    """Write the faces past the triggers, as a restored database has them, and let the totals be counted."""
    from django.core.management import call_command
    from django.db import connection

    from mien.web.accounts.models import User
    from mien.web.dashboard import totals

    call_command("migrate", verbosity=0)
    owner, other = (User.objects.create(username=name) for name in ("one", "other"))
    begin = int(datetime.now(UTC).timestamp()) - DAYS * 86_400
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")
        # the driver itself: Django writes parameters in another way
        connection.connection.execute(_PHOTOS, {"owner": owner.pk, "other": other.pk, "begin": begin})
        cursor.execute(_FACES)
    totals.install()
    return owner


def _milliseconds(job: Callable[[], object]) -> np.ndarray:
    job()
    taken = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        job()
        taken.append(1000 * (time.perf_counter() - start))
    return np.array(taken)
