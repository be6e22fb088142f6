"""How every form of the product looks: one template for fields, in Bootstrap's classes."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class MienFormRenderer(TemplatesSetting):
    """Forms are drawn by templates/forms/form.html, whoever made them."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
