"""`mien manage purge`: delete what is older than the server keeps."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from mien.web.privacy.removal import purge


class Command(BaseCommand):
    """The command, as Django knows it."""

    help = (
        "Deletes analyses, with their faces and kept pictures, that are older than MIEN_RETENTION_DAYS "
        "or --days, and sessions that have ended. A server does so by itself when it starts, and daily."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The options."""
        parser.add_argument("--days", type=int, help="in place of MIEN_RETENTION_DAYS")
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def handle(self, *_args: Any, days: int | None, dry_run: bool, **_options: Any) -> None:
        """Delete, and say how much."""
        days = settings.MIEN.retention_days if days is None else days
        if days < 0 or days > 36_500:
            raise CommandError(f"--days has to be from 0 to 36,500, not {days}")
        if not dry_run:
            call_command("clearsessions")
        if days == 0:
            self.stdout.write("Analyses are kept until they are deleted by hand; see MIEN_RETENTION_DAYS.")
            return
        count = purge(days, only_count=dry_run)
        doing = "would be deleted" if dry_run else "deleted"
        self.stdout.write(f"{count} analyses older than {days} days {doing}.")
