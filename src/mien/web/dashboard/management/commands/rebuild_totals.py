"""Count the dashboards' totals anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mien.web.dashboard import totals


class Command(BaseCommand):
    """`mien manage rebuild_totals`."""

    help = "Count the dashboards' totals anew, where a database was changed past its triggers."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        """Count, and say so."""
        totals.rebuild()
        self.stdout.write("The totals are those of the analyses and faces in the database.")
