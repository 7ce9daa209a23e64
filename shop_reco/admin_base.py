"""What every admin page of the plugin shares: rows that only services write, and buttons that post."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from shop_reco.staff.audit import differences, note, noted, values_of
from shop_reco.staff.final import may_do, question
from shop_reco.staff.models import StaffAction
from shop_reco.staff.pages import fetch_shoppers, is_closed, masked, masks, show_to
from shop_reco.staff.sensitive import may_see_personal_data

BUTTON = (
    "border border-base-200 dark:border-base-700 cursor-pointer font-medium px-2.5 py-1 rounded-default text-xs "
    "whitespace-nowrap hover:text-primary-600 dark:hover:text-primary-500"
)


FILTERS = {
    "admin/filter.html": "shop_reco/admin/filter.html",
    "unfold/filters/filters_field.html": "shop_reco/admin/filter_field.html",
}
"""Django looks filters up among the host's templates, where the names on the left are Django's own or unknown."""


class BaseAdmin(ModelAdmin):
    """What all pages here have in common; looks right without any setting of the host.

    Personal data, as ``staff.sensitive`` names it, is shown, searched and filtered for those who may see it alone.
    """

    show_full_result_count = False
    help_texts: Mapping[str, Any] = {}
    """What forms say below a field of which its model says nothing: what it does, its unit, what empty means."""

    class Media:
        css = {"all": ("shop_reco/admin.css",)}

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """By what the list shows this reader or filters by: what it keeps back could be guessed letter by letter."""
        options = self.model._meta
        columns = {name for each in options.get_fields() for name in (each.name, getattr(each, "attname", each.name))}
        filters = [each[0] if isinstance(each, tuple) else each for each in self.list_filter]
        shown = {"pk", options.pk.name, *map(str, self.list_display)}
        shown |= {each.partition("__")[0] for each in filters if isinstance(each, str)}
        head = lookup.partition("__")[0]
        if self._is_closed(lookup, request) or (head in columns and head not in shown):
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        for name in self.help_texts.keys() & form.base_fields.keys():
            form.base_fields[name].help_text = self.help_texts[name]
        return form

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changes = super().get_changelist_instance(request)
        for spec in changes.filter_specs:
            spec.template = FILTERS.get(spec.template, spec.template)
        show_to(request.user, changes.result_list)
        return changes

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            fetch_shoppers(found)
            show_to(request.user, [found])
            if request.method == "POST":
                found.values_before = values_of(found)
        return found

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note(request, StaffAction.What.ADD, obj, {})
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """A form's change; a button's was noted by ``posted``."""
        if hasattr(obj, "values_before"):
            self._note(request, StaffAction.What.CHANGE, obj, obj.values_before)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for each in queryset:
            note(
                by=request.user,
                what=StaffAction.What.DELETE,
                row=each,
                changes=differences(self.model, values_of(each), {}),
            )
        return super().log_deletions(request, queryset)

    def _note(self, request: HttpRequest, what: str, obj: Any, before: Mapping[str, Any]) -> None:
        """What a form did, as the row says it now; one that changed nothing did nothing."""
        now = self.model._base_manager.filter(pk=obj.pk).first()
        if changes := differences(self.model, before, values_of(now)):
            note(by=request.user, what=what, row=now, changes=changes)

    def get_list_display(self, request: HttpRequest) -> Any:
        names = super().get_list_display(request)
        return names if may_see_personal_data(request.user) else masked(self.model, names)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sets = super().get_fieldsets(request, obj)
        if may_see_personal_data(request.user):
            return sets
        return [(title, {**how, "fields": masked(self.model, how["fields"])}) for title, how in sets]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        names = super().get_readonly_fields(request, obj)
        return names if may_see_personal_data(request.user) else (*names, *masks(self.model).values())

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = super().get_list_filter(request)
        return [each for each in filters if not self._is_closed(each, request)]

    def get_actions(self, request: HttpRequest) -> Any:
        """One that names no permission needs the one to change; a final one asks first; what each does is kept."""
        return {
            name: (_noted_action(function, name, label), name, label)
            for name, (function, _name, label) in super().get_actions(request).items()
            if getattr(function, "allowed_permissions", None) or self.has_change_permission(request)
            if may_do(request.user, f"{self.model._meta.label_lower}.{name}")
        }

    def get_search_fields(self, request: HttpRequest) -> Any:
        return [path for path in super().get_search_fields(request) if not self._is_closed(path, request)]

    def _is_closed(self, path: Any, request: HttpRequest) -> bool:
        """Of a filter the path comes first; a class of filters has none."""
        name = path[0] if isinstance(path, list | tuple) else path
        return isinstance(name, str) and is_closed(self.model, name, request.user)


def _noted_action(function: Callable[..., Any], name: str, label: str) -> Callable[..., Any]:
    @wraps(function)
    def act(admin: Any, request: HttpRequest, queryset: Any) -> Any:
        if name == "delete_selected":  # logs its deletions itself
            with transaction.atomic():
                return function(admin, request, queryset)
        if (asked := question(admin, request, queryset, name=name, label=label)) is not None:
            return asked
        pks = list(queryset.values_list("pk", flat=True))
        with noted(by=request.user, what=name, model=admin.model, pks=pks):
            return function(admin, request, queryset)

    return act


def posted(view: Callable[..., Any]) -> Callable[..., Any]:
    """A view behind a button: only a post reaches it, and what it does to its row is kept, with the reason given.

    The row's key is the view's one argument; a view without one keeps what it does by itself.
    """

    @method_decorator(require_POST)
    @wraps(view)
    def act(admin: Any, request: HttpRequest, **kwargs: Any) -> Any:
        what, why = view.__name__.removeprefix("post_"), request.POST.get("why", "")
        with noted(by=request.user, what=what, model=admin.model, pks=list(kwargs.values()), why=why):
            return view(admin, request, **kwargs)

    return act


class AddressedAdmin(BaseAdmin):
    """Pages that lead to each other."""

    def address(self, page: str, *args: Any) -> str:
        """The url of one of this model's pages on the site that it is registered with."""
        options = self.model._meta
        return reverse(f"{self.admin_site.name}:{options.app_label}_{options.model_name}_{page}", args=args)


class KeptAdmin(AddressedAdmin):
    """Rows that are made and removed by services alone."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> Any:
        """Buttons are for those who may use them."""
        names = super().get_list_display(request)
        return names if self.may_change(request) else [name for name in names if name != "buttons"]

    def back_to_list(self) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.address("changelist"))

    def may_change(self, request: HttpRequest) -> bool:
        """Whether staff may use the buttons here; the rows themselves may be read only all the same."""
        options = self.model._meta
        return request.user.has_perm(f"{options.app_label}.change_{options.model_name}")


class ReadOnlyAdmin(KeptAdmin):
    """Rows that staff may look at."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EndlessAdmin(ReadOnlyAdmin):
    """A table so long that nobody counts its rows to show a page of it."""

    paginator = InfinitePaginator
    list_per_page = 50


def button(address: str, label: str, *, name: str = "", value: str = "", ask: str = "") -> SafeString:
    """A button inside a list: it posts the list's own form, CSRF token and all, to ``address``.

    ``ask`` is a question that the browser puts first.
    """
    question = format_html(' data-reco-ask="{}"', ask) if ask else ""
    return format_html(
        '<button type="submit" formaction="{}" name="{}" value="{}" class="{}"{}>{}</button>',
        address, name, value, BUTTON, question, label,
    )  # fmt: skip


def row(*buttons: SafeString) -> SafeString:
    return format_html(
        '<span class="flex flex-wrap gap-2">{}</span>', format_html_join("", "{}", ((each,) for each in buttons))
    )


def bar(share: float) -> SafeString:
    """A bar that is ``share`` (0 to 1) full, with the percentage beside it."""
    percent = round(100 * min(max(share, 0.0), 1.0))
    return format_html(
        '<span class="flex gap-2 items-center"><progress class="w-24" max="100" value="{}" aria-label="{}"></progress>'
        "{}%</span>",
        percent, _("Progress"), percent,
    )  # fmt: skip


def figures(values: Mapping[str, Any], *, names: Mapping[str, Any]) -> SafeString:
    """One pair a line; ``names`` translates the keys, and a key that it lacks names itself."""
    return format_html(
        "<dl>{}</dl>",
        format_html_join(
            "",
            '<div class="flex gap-2"><dt class="font-medium">{}</dt><dd>{}</dd></div>',
            ((_named(name, names), _worded(value, names)) for name, value in values.items()),
        ),
    )


def _named(name: str, names: Mapping[str, Any]) -> str:
    return str(names.get(name) or name.replace("_", " "))


def _worded(value: Any, names: Mapping[str, Any]) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{_named(name, names)}: {_worded(each, names)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(_worded(each, names) for each in value)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def link_to(admin: KeptAdmin, target: Model | None) -> SafeString | str:
    """The target's name, as a link to its page on the same site for those who may open it."""
    if target is None:
        return "-"
    options, reader = target._meta, getattr(target, "seen_by", None)
    if reader is not None and not reader.has_perm(f"{options.app_label}.view_{options.model_name}"):
        return str(target)
    name = f"{admin.admin_site.name}:{options.app_label}_{options.model_name}_change"
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', reverse(name, args=(target.pk,)), target
    )
