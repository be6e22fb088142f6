"""Totals of faces and analyses, kept by the database itself.

A dashboard over a million faces cannot read them one by one. Triggers on both tables (`totals.py`) add to
these rows and take from them, whoever writes and by whatever way, within the same transaction.

Times are slots: quarter hours since 1970 (UTC). Every time zone in use begins its days on one, so the same
rows give exact days in all of them. A row of span 1 holds a quarter hour, one of span 96 a day of UTC: long
periods are read from the days, and quarters fill in what is left at both ends.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

EVERYONE = 0  # the scope of the totals over all users
QUARTER, DAY = 1, 96
BINS = tuple(f"bin_{number}" for number in range(10))


class _Totals(models.Model):
    """What was read in one stretch of time, by one user or by everyone."""

    # a user's number, or EVERYONE; no foreign key: the last face that goes takes the row along
    scope = models.BigIntegerField()
    span = models.PositiveSmallIntegerField()
    slot = models.IntegerField()
    faces = models.IntegerField(default=0)

    class Meta:
        """No table of its own."""

        abstract = True


class Use(_Totals):
    """How many pictures and faces came from each source."""

    pk = models.CompositePrimaryKey("scope", "span", "slot", "source")
    source = models.CharField(max_length=12)
    analyses = models.IntegerField(default=0)

    class Meta:
        """Read through one index that has everything."""

        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["scope", "span", "slot", "source", "analyses", "faces"], name="use_read"),
            models.Index(
                fields=["scope"], name="use_empty", condition=models.Q(faces__lte=0, analyses__lte=0)
            ),
        ]


class Reading(_Totals):
    """How many faces showed each emotion, and how sure that was."""

    pk = models.CompositePrimaryKey("scope", "span", "slot", "emotion")
    emotion = models.CharField(max_length=60)  # empty: uncertain
    # in millionths: whole numbers can be taken away again without a remainder
    confidence = models.BigIntegerField(default=0)
    # faces with a confidence in [0, 0.1), [0.1, 0.2) … [0.9, 1]
    bin_0 = models.IntegerField(default=0)
    bin_1 = models.IntegerField(default=0)
    bin_2 = models.IntegerField(default=0)
    bin_3 = models.IntegerField(default=0)
    bin_4 = models.IntegerField(default=0)
    bin_5 = models.IntegerField(default=0)
    bin_6 = models.IntegerField(default=0)
    bin_7 = models.IntegerField(default=0)
    bin_8 = models.IntegerField(default=0)
    bin_9 = models.IntegerField(default=0)

    class Meta:
        """Rows without a face are found at once, to be removed."""

        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["scope"], name="reading_empty", condition=models.Q(faces__lte=0)),
        ]
