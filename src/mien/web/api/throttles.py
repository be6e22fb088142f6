"""So many calls a minute, counted in the database: one row each, the same for every server process."""

from __future__ import annotations

import ipaddress
import time

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from mien.web.api.models import Rate

MINUTE_S = 60.0


def take(subject: str, limit: int, *, now: float | None = None) -> float:
    """Count one call of `subject` if it may call now.

    The minute slides: the calls of the minute before count for the part of it that is not yet a minute ago,
    so that nobody calls twice the limit around the turn of a minute.

    Args:
        subject: who calls, 80 characters at most.
        limit: calls a minute.
        now: seconds since 1970; None: the present.

    Returns:
        0 where the call may go on, else the seconds to wait. A refused call is not counted.
    """
    now = time.time() if now is None else now
    with transaction.atomic():
        rate = _locked(subject, now)
        _turn(rate, now)
        passed = min(max(now - rate.started, 0.0), MINUTE_S)
        used = rate.count + rate.before * (1 - passed / MINUTE_S)
        if used + 1 > limit:
            return _wait(rate, limit, passed)
        rate.count += 1
        rate.save(update_fields=["started", "count", "before"])
    return 0.0


def of_account(room: str, user_id: int) -> str:
    """Return the name under which an account's calls of `room` are counted."""
    return f"{room}:user:{user_id}"


def of_address(room: str, address: str) -> str:
    """Return the name under which a visitor's calls are counted, from which no address can be read back.

    A network of IPv6 is one visitor: whoever has an address there has all of them.
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        near = address
    else:
        wide = known.version == 6 and known.ipv4_mapped is None
        near = str(ipaddress.ip_network(f"{address}/64", strict=False)) if wide else str(known)
    return f"{room}:address:{salted_hmac('mien.web.api.throttles', near).hexdigest()[:32]}"


def _locked(subject: str, now: float) -> Rate:
    """Return the row of `subject`, which nobody else changes until the transaction ends."""
    rows = Rate.objects.select_for_update()
    if (found := rows.filter(subject=subject).first()) is not None:
        return found
    # someone new is a good time to forget those who have not called for long
    Rate.objects.filter(started__lt=now - 2 * MINUTE_S).delete()
    try:
        with transaction.atomic():
            return Rate.objects.create(subject=subject, started=now)
    except IntegrityError:  # another process was faster
        return rows.get(subject=subject)


def _turn(rate: Rate, now: float) -> None:
    """Begin a new minute where the present one is over, or the clock was put back."""
    if abs(now - rate.started) < MINUTE_S:
        return  # also where another process, whose clock was read a moment later, came first
    minutes = int((now - rate.started) // MINUTE_S)
    rate.before = rate.count if minutes == 1 else 0
    rate.started = rate.started + MINUTE_S if minutes == 1 else now
    rate.count = 0


def _wait(rate: Rate, limit: int, passed: float) -> float:
    """Return after how long the calls that count have faded enough for one more."""
    room = limit - 1 - rate.count
    if room >= 0 and rate.before:
        return max(MINUTE_S * (1 - room / rate.before) - passed, 0.001)
    # only the turn of the minute helps, and then the present calls fade
    faded = MINUTE_S * (1 - (limit - 1) / rate.count) if rate.count else 0.0
    return MINUTE_S - passed + max(faded, 0.001)
