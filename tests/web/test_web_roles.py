"""What a viewer may read, and that it is no more."""

from __future__ import annotations

import pytest
from django.apps import apps

OURS = {"accounts", "analyses", "privacy", "auditlog"}


@pytest.mark.parametrize("model", apps.get_models(), ids=lambda model: model._meta.label)
def test_viewers_read_what_mien_keeps_and_change_nothing(model, viewer, ann, administrator) -> None:
    room, name = model._meta.app_label, model._meta.model_name
    assert viewer.has_perm(f"{room}.view_{name}") == (room in OURS)
    for action in ("add", "change", "delete", "view"):
        assert not ann.has_perm(f"{room}.{action}_{name}")
        assert administrator.has_perm(f"{room}.{action}_{name}")
        assert action == "view" or not viewer.has_perm(f"{room}.{action}_{name}")


def test_secrets_of_second_factors_are_for_administrators(viewer, client_of, administrator) -> None:
    for place in ("mfa/authenticator", "usersessions/usersession"):
        assert client_of(viewer).get(f"/admin/{place}/").status_code == 403
        assert client_of(administrator).get(f"/admin/{place}/").status_code == 200


def test_a_closed_account_may_nothing(viewer, administrator) -> None:
    viewer.is_active = administrator.is_active = False
    assert not viewer.has_perm("accounts.view_user")
    assert not administrator.has_perm("accounts.view_user")
    assert not viewer.is_viewer
    assert not administrator.is_administrator
