"""What the console's pages have in common: they show, and change nothing but by the actions they name."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator


class ReadOnly:
    """No adding, no changing, no deleting. Actions ask for the permission to `operate`: to change such rows in general."""

    model: type[Model]
    opts: Any

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")


class ReadOnlyAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    paginator = InfinitePaginator  # counting millions of rows to draw a list would take longer than the list
    show_full_result_count = False
    list_per_page = 50
    list_fullwidth = True

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the page offers: else a column that is not shown could be guessed, letter by letter, by what it begins with."""
        return lookup.removesuffix("__exact") in self.list_filter


class ReadOnlyInline(ReadOnly, TabularInline):  # type: ignore[misc]
    extra = 0
    can_delete = False
    show_change_link = False


def pretty(value: Any) -> SafeString:
    """Return JSON as a page shows it."""
    return format_html('<pre style="white-space: pre-wrap">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))
