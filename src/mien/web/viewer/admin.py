"""What the database viewer shows of each table: to read, search, filter and export, not to change.

An administrator changes roles and closes accounts here; everything else is changed where it belongs.
No picture is shown, and no column holds what lets someone in.
"""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export import resources
from import_export.admin import ExportMixin
from import_export.forms import ExportForm

from mien.core.errors import OptionError
from mien.web.accounts.models import Token, User
from mien.web.analyses.models import AnalysedFace, Analysis
from mien.web.privacy.models import Consent
from mien.web.templatetags.mien import emotion as emotion_name
from mien.web.templatetags.mien import per_cent
from mien.web.viewer.formats import FORMATS

# rows in one file: more would not fit in the memory of a small server
MOST_ROWS = 50_000


class ReadOnly(ExportMixin, admin.ModelAdmin):
    """A table that is read and exported. `export_fields` are its columns, also in files."""

    export_form_class = ExportForm
    formats = FORMATS
    export_fields: ClassVar[tuple[str, ...]] = ()
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count all rows once more
    to_encoding = "utf-8"
    ordering: ClassVar[tuple[str, ...]] = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are made where they belong."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows are changed where they belong."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows are deleted where they belong, with the files that are theirs."""
        return False

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever may read it may take it along."""
        return bool(self.has_view_permission(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Columns of a row's own page."""
        return [field.partition("__")[0] for field in self.export_fields if field != "id"]

    def get_resource_classes(self, request: HttpRequest) -> list[Any]:
        """The columns of files."""
        resource = resources.modelresource_factory(
            self.model, meta_options={"fields": self.export_fields, "export_order": self.export_fields}
        )
        return [resource]

    def get_export_queryset(self, request: HttpRequest) -> Any:
        """What search and filters leave, up to a limit."""
        rows = super().get_export_queryset(request).select_related(*self.list_select_related)
        if request.method == "POST" and rows.order_by().values("pk")[: MOST_ROWS + 1].count() > MOST_ROWS:
            raise OptionError(
                _("These are more than %(rows)d rows; filter them first.") % {"rows": MOST_ROWS}
            )
        return rows

    def export_action(self, request: HttpRequest) -> Any:
        """Export, or say why not."""
        try:
            return super().export_action(request)
        except OptionError as error:
            self.message_user(request, str(error), "error")
            request.method = "GET"
            return super().export_action(request)

    def get_data_for_export(self, request: HttpRequest, queryset: Any, **kwargs: Any) -> Any:
        """Name the file's content."""
        data = super().get_data_for_export(request, queryset, **kwargs)
        data.title = str(self.opts.verbose_name_plural)[:31]
        return data


@admin.register(User)
class UserAdmin(ReadOnly):
    """Accounts. An administrator gives roles and closes accounts, but never their own."""

    list_display = ("username", "email", "role_text", "is_active", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "language", "date_joined")
    list_select_related: ClassVar[tuple[str, ...]] = ()
    search_fields = ("username", "email")
    date_hierarchy = "date_joined"
    export_fields = (
        *("id", "username", "email", "is_active", "is_staff", "is_superuser", "language", "theme"),
        *("keep_pictures", "date_joined", "last_login"),
    )
    _flags = ("is_active", "is_staff", "is_superuser")

    @admin.display(description=_("role"))
    def role_text(self, user: User) -> Any:
        """The role, in words."""
        return {"administrator": _("Administrator"), "viewer": _("Viewer")}.get(user.role, _("User"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators change others' flags; nobody locks themselves out."""
        return bool(request.user.is_administrator) and obj != request.user

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Everything but the flags."""
        return [field for field in self.get_fields(request, obj) if field not in self._flags]


@admin.register(Analysis)
class AnalysisAdmin(ReadOnly):
    """What was read, without pictures and without their owners' notes."""

    list_display = ("created", "owner", "name", "source", "face_count", "model_name")
    list_display_links = ("created", "name")
    list_filter = ("source", "created", "detector")
    list_select_related: ClassVar[tuple[str, ...]] = ("owner",)
    search_fields = ("name", "owner__username")
    search_help_text = _("File or user")
    date_hierarchy = "created"
    export_fields = (
        *("id", "uid", "owner__username", "created", "source", "name", "width", "height", "face_count"),
        *("model_name", "model_digest", "detector", "elapsed_s", "version"),
    )


@admin.register(AnalysedFace)
class FaceAdmin(ReadOnly):
    """Every face. A date hierarchy would read all of them: dates are a filter here."""

    list_display = ("created", "owner", "emotion_text", "confidence_text", "source", "analysis")
    list_filter = ("emotion", "source", "created")
    list_select_related: ClassVar[tuple[str, ...]] = ("owner", "analysis")
    search_fields = ("owner__username", "=emotion")
    search_help_text = _("User or emotion")
    export_fields = (
        *("id", "analysis__uid", "owner__username", "created", "source", "position", "emotion", "top"),
        *("confidence", "scores", "x", "y", "width", "height", "detection_score"),
    )

    @admin.display(description=_("emotion"), ordering="emotion")
    def emotion_text(self, face: AnalysedFace) -> str:
        """In the reader's language."""
        return emotion_name(face.emotion)

    @admin.display(description=_("confidence"), ordering="confidence")
    def confidence_text(self, face: AnalysedFace) -> str:
        """As per cent."""
        return per_cent(face.confidence, 1)


@admin.register(Token)
class TokenAdmin(ReadOnly):
    """Tokens, by what their owner called them; what is secret of them is not even kept."""

    list_display = ("name", "owner", "hint", "created", "expires", "last_used")
    list_filter = ("created", "expires")
    list_select_related: ClassVar[tuple[str, ...]] = ("owner",)
    search_fields = ("name", "owner__username")
    date_hierarchy = "created"
    export_fields = ("id", "owner__username", "name", "hint", "scopes", "created", "expires", "last_used")


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    """Who agreed to which notice, and when."""

    list_display = ("given", "user", "version", "withdrawn")
    list_filter = ("version", "given")
    list_select_related: ClassVar[tuple[str, ...]] = ("user",)
    search_fields = ("user__username",)
    date_hierarchy = "given"
    export_fields = ("id", "user__username", "version", "given", "withdrawn")


class LogAdmin(ReadOnly):
    """Who did what to accounts, tokens and consents."""

    list_display = ("timestamp", "actor", "action", "content_type", "object_repr")
    list_filter = ("action", "content_type", "timestamp")
    list_select_related: ClassVar[tuple[str, ...]] = ("actor", "content_type")
    search_fields = ("object_repr", "actor__username")
    date_hierarchy = "timestamp"
    export_fields = (
        *("id", "timestamp", "actor__username", "action", "content_type__model", "object_repr", "changes"),
        "remote_addr",
    )


class SessionAdmin(ReadOnly):
    """Where someone is logged in; without the key, which would let its reader in."""

    list_display = ("user", "ip", "created_at", "last_seen_at")
    list_select_related: ClassVar[tuple[str, ...]] = ("user",)
    search_fields = ("user__username",)
    date_hierarchy = "created_at"
    export_fields = ("id", "user__username", "ip", "user_agent", "created_at", "last_seen_at")


class SecondFactorAdmin(ReadOnly):
    """Who has a second factor; without its secret."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related: ClassVar[tuple[str, ...]] = ("user",)
    search_fields = ("user__username",)
    export_fields = ("id", "user__username", "type", "created_at", "last_used_at")


# packages register these in their own way first; with their secrets, or for groups that nobody has
for _package in ("django.contrib.auth", "allauth.mfa", "allauth.usersessions", "auditlog"):
    importlib.import_module(f"{_package}.admin")
for _model, _own in ((LogEntry, LogAdmin), (UserSession, SessionAdmin), (Authenticator, SecondFactorAdmin)):
    admin.site.unregister(_model)
    admin.site.register(_model, _own)
admin.site.unregister(Group)
