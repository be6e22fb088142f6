"""Tags and filters that every template knows without loading them."""

from __future__ import annotations

from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, FileInput, RadioSelect, Select
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.translation import get_language

from mien.core.emotions import LANGUAGES, display_name

register = template.Library()


@register.simple_tag
def icon(name: str, extra: str = "") -> str:
    """Return a picture of static/vendor/icons.svg; it says nothing that the text beside it does not."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        extra,
        static("vendor/icons.svg"),
        name,
    )


@register.filter
def emotion(label: str | None) -> str:
    """Return the name of a label in the reader's language; None reads "uncertain"."""
    language = (get_language() or "en").partition("-")[0]
    return display_name(label or None, language if language in LANGUAGES else "en")


@register.filter
def per_cent(share: float | None, digits: int = 0) -> str:
    """Return a share in [0, 1] as per cent; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


@register.filter
def styled(field: BoundField) -> Any:
    """Return a form's field with the classes of its kind, and told apart where it is wrong."""
    widget = field.field.widget
    kind = "form-control"
    if isinstance(widget, CheckboxInput):
        kind = "form-check-input"
    elif isinstance(widget, RadioSelect):
        kind = "choices"
    elif isinstance(widget, Select) and not isinstance(widget, FileInput):
        kind = "form-select"
    wrong = " is-invalid" if field.errors else ""
    own = widget.attrs.get("class", "")
    attrs = {"class": f"{own} {kind}{wrong}".strip()}
    if str(widget.attrs.get("placeholder", "")) == str(field.label):
        attrs["placeholder"] = ""  # says what the label says
    return field.as_widget(attrs=attrs)


@register.filter
def is_tick(field: BoundField) -> bool:
    """Whether the field is a box to tick, which stands before its label."""
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def is_choice(field: BoundField) -> bool:
    """Whether the field is a list that always has something chosen."""
    return isinstance(field.field.widget, Select)
