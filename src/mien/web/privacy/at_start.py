"""What the server does for privacy when it starts, and once a day while it runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connections

from mien.web.privacy.consent import give, has_consented
from mien.web.privacy.models import NOTICE_VERSION
from mien.web.privacy.removal import purge

log = logging.getLogger(__name__)
_DAY_S = 86_400
NOTICE = (
    "Before you begin: an expression is not an inner state. Do not take a reading for a fact about a person.",
    "In the European Union it is prohibited to infer emotions of people at work and in education, other",
    "than for medical or safety reasons (AI Act, Article 5(1)(f)).",
    "Only read pictures of people who know and agree.",
)


def show_notice(say: Callable[[str], None]) -> None:
    """At the first run, and after each change of the notice, show it and record that the operator goes on.

    That covers programs on this machine that call `/detect` without an account; people are asked on a page.
    """
    if has_consented(None):
        return
    for line in NOTICE:
        say(line)
    give(None)
    say(f"Whoever runs this server agrees to that (version {NOTICE_VERSION}; Ctrl-C if you do not).")


def keep_retention() -> None:
    """Delete what is older than the server keeps, now and each day, beside the server."""
    threading.Thread(target=_daily, name="retention", daemon=True).start()


def delete_what_is_old() -> int:
    """Delete what is older than the server keeps, and ended sessions; return how many analyses."""
    call_command("clearsessions")
    days = settings.MIEN.retention_days
    count = purge(days) if days else 0
    if count:
        log.info("deleted %d analyses older than %d days", count, days)
    return count


def _daily() -> None:
    never = threading.Event()
    while True:
        try:
            delete_what_is_old()
        except DatabaseError as error:
            log.warning("what is old could not be deleted: %s; tried again tomorrow", type(error).__name__)
        finally:
            connections.close_all()
        never.wait(_DAY_S)
