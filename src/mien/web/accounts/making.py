"""Accounts made by the operator, under the same rules as those that visitors make."""

from __future__ import annotations

from axes.utils import reset
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from mien.core.errors import OptionError
from mien.web.accounts.models import User


def check_new(name: str, email: str) -> None:
    """Make sure that an account of this name and address can be made.

    Raises:
        OptionError: the name or address is taken or cannot be one.
    """
    user = User(username=name.lower(), email=email)
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        raise OptionError(_text(error)) from error
    if User.objects.filter(username=user.username).exists():
        raise OptionError(f"there is a user {name!r} already; mien user password gives a new password")
    if email and User.objects.filter(email__iexact=email).exists():
        raise OptionError(f"the address {email!r} belongs to another account; give another one")


def create(name: str, password: str, *, email: str = "", role: str = "user") -> User:
    """Make an account that can log in at once.

    Args:
        name: kept in small letters, as names are not told apart by them.
        password: checked as everybody's.
        email: taken as confirmed.
        role: `user`, `viewer` or `administrator`.

    Raises:
        OptionError: the name, address or password cannot be used.
    """
    check_new(name, email)
    user = User(
        username=name.lower(),
        email=email,
        is_staff=role != "user",
        is_superuser=role == "administrator",
    )
    _check_password(password, user)
    user.set_password(password)
    with transaction.atomic():
        user.save()
        if email:
            from allauth.account.models import EmailAddress

            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def find(name: str) -> User:
    """Return the user of that name or address.

    Raises:
        OptionError: there is none.
    """
    user = User.objects.filter(Q(username=name.lower()) | Q(email__iexact=name)).first()
    if user is None or not name:
        raise OptionError(f"there is no user {name!r}; mien user list names them")
    return user


def set_password(user: User, password: str) -> None:
    """Give a user a new password; log-in is open again where failures had locked it."""
    _check_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    reset(username=user.get_username())


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise OptionError(_text(error)) from error


def _text(error: ValidationError) -> str:
    return " ".join(error.messages)
