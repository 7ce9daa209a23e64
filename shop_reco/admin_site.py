"""The admin of the plugin: a site of its own, with templates of its own, so that a host's admin stays as it was.

Unfold's templates carry the names of Django's. A host therefore lists ``unfold.apps.BasicAppConfig`` after
``django.contrib.admin`` and keeps Django's for its own admin, while this site looks for Unfold's first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, update_wrapper
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import unfold
from django.apps import apps
from django.conf import settings
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.backends.django import DjangoTemplates
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from unfold.sites import UnfoldAdminSite

from shop_reco.products.models import Product

from .conf import reco_settings
from .dashboard import dashboard
from .exchange import exchanging
from .staff.audit import note
from .staff.pages import HIDDEN, show_to
from .staff.second_factor import works_as_staff
from .staff.second_factor_page import second_factor_page
from .staff.sign_in import guarded, remember_browser

NAVIGATION = (
    (
        _("Recommendations"),
        {
            "reco_recommendations.recommender": "toggle_on",
            "reco_recommendations.trainingrun": "model_training",
            "reco_recommendations.modelversion": "deployed_code",
            "reco_recommendations.placement": "view_carousel",
            "reco_recommendations.rule": "rule",
            "reco_recommendations.slate": "list_alt",
        },
    ),
    (
        _("Shoppers"),
        {
            "reco_recommendations.feedback": "reviews",
            "reco_users.shopper": "person",
            "reco_portraits.portrait": "face",
            "reco_portraits.portraitedit": "edit_note",
            "reco_portraits.segmentation": "groups",
            "reco_users.shopperlink": "link",
            "reco_events.shopperflag": "flag",
        },
    ),
    (
        _("Catalogue"),
        {
            "reco_products.product": "shopping_bag",
            "reco_products.category": "account_tree",
            "reco_products.brand": "sell",
        },
    ),
    (
        _("Events"),
        {
            "reco_events.event": "bolt",
            "reco_events.rejectedevent": "report",
            "reco_events.dataimport": "upload_file",
            "reco_webhooks.webhooksource": "webhook",
            "reco_webhooks.webhookdelivery": "move_to_inbox",
        },
    ),
    (
        _("Privacy"),
        {
            "reco_users.consent": "verified_user",
            "reco_users.consentstatement": "description",
            "reco_users.staffread": "visibility",
            "reco_staff.staffaction": "history",
            "reco_privacy.erasurereceipt": "receipt_long",
        },
    ),
    (
        _("Operation"),
        {
            "django_celery_beat.periodictask": "schedule",
            "django_celery_beat.crontabschedule": "calendar_month",
            "django_celery_beat.intervalschedule": "timer",
            "reco_users.apikey": "key",
            "auth.user": "badge",
            "auth.group": "group",
        },
    ),
)
"""The side bar: each group's models and their icons."""

PAGES = (
    (_("Why this list?"), "help", "reco_recommendations.slate", "why"),
    (_("Review of feedback"), "rate_review", "reco_recommendations.feedback", "queue"),
    (_("Segments"), "groups", "reco_portraits.segmentation", "now"),
    (_("Health of the data"), "monitor_heart", "reco_events.rejectedevent", "health"),
)
"""Above them, what is no table: title, icon, whose page it is, and which."""


@cache
def own_templates() -> DjangoTemplates:
    """Where this site finds its templates: Unfold's, then the host's folders, then the apps'."""
    theirs = Path(unfold.__file__).parent
    hosts = [folder for engine in cast(Any, settings.TEMPLATES) for folder in engine.get("DIRS", [])]
    return DjangoTemplates(
        {
            "NAME": "shop_reco_admin",
            "DIRS": [
                theirs / "templates",
                theirs / "contrib" / "filters" / "templates",
                theirs / "contrib" / "import_export" / "templates",
                *hosts,
            ],
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    )


def _dressed(response: Any) -> Any:
    if isinstance(response, TemplateResponse) and not response.is_rendered:
        names = response.template_name
        if isinstance(names, str):
            response.template_name = own_templates().get_template(names)
        elif isinstance(names, list | tuple):
            response.template_name = _first_of(list(names))
    return response


def _first_of(names: list[str]) -> Any:
    engine = own_templates()
    found = engine.engine.select_template(names)
    return engine.get_template(str(found.name))


class Suggestions(AutocompleteJsonView):
    """What a search box of a form suggests, named for whoever searches."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        show_to(self.request.user, [obj])
        return super().serialize_result(obj, to_field_name)


class RecoAdminSite(UnfoldAdminSite):
    site_header = _("Recommendations")
    site_title = _("Recommendations")
    index_title = _("How the recommendations do")
    index_template = "shop_reco/admin/dashboard.html"
    settings_name = "SHOP_RECO_UNFOLD"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.login_form: Any = guarded(self.login_form)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., HttpResponseBase]:
        def dressed(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return _dressed(view(request, *args, **kwargs))

        return super().admin_view(update_wrapper(dressed, view), cacheable)

    def has_permission(self, request: HttpRequest) -> bool:
        return works_as_staff(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Who came without a wish goes to the first page; the theme's form does not carry one.

        Whoever still has to show a second factor goes there first, with the wish.
        """
        if request.method == "GET" and super().has_permission(request) and not self.has_permission(request):
            return HttpResponseRedirect(self._asking(request))
        page = _dressed(super().login(request, extra_context))
        if request.method != "POST" or page.status_code != 302:
            return page
        if not self.has_permission(request):
            page["Location"] = self._asking(request)
            return page
        if REDIRECT_FIELD_NAME not in request.GET and REDIRECT_FIELD_NAME not in request.POST:
            page["Location"] = self.page("index")
        return remember_browser(request, page)

    def _asking(self, request: HttpRequest) -> str:
        wish = request.POST.get(REDIRECT_FIELD_NAME, request.GET.get(REDIRECT_FIELD_NAME, ""))
        return self.page("second_factor") + (f"?{urlencode({REDIRECT_FIELD_NAME: wish})}" if wish else "")

    def second_factor(self, request: HttpRequest) -> Any:
        """For whoever is of the staff by their password: it is where they show the rest."""
        if reco_settings().STAFF_SECOND_FACTOR == "off" or not super().has_permission(request):
            return HttpResponseRedirect(self.page("login"))
        return _dressed(second_factor_page(request, site=self))

    def extra_urls(self) -> list[URLPattern]:
        guarded_page = never_cache(csrf_protect(sensitive_post_parameters()(self.second_factor)))
        return [path("second-factor/", guarded_page, name="second_factor")]

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        page, user = super().password_change(request, extra_context), cast(Any, request.user)
        if request.method == "POST" and page.status_code == 302:
            note(by=user, what="change", row=user, changes={"password": [HIDDEN, HIDDEN]})
        return page

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        return Suggestions.as_view(admin_site=self)(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        shown = {name: self._may_view(request, name) for _group, models in NAVIGATION for name in models}
        shown["reco_events.event"] |= request.user.has_perm("reco_staff.view_counts")
        return super().index(request, {"board": dashboard(shown=shown, site=self.name), **(extra_context or {})})

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        given = super().each_context(request)
        ours = {"site_title": self.site_title, "site_header": self.site_header, "site_symbol": "recommend"}
        context = {**given, **{name: given.get(name) or value for name, value in ours.items()}}
        context["styles"] = [*(given.get("styles") or []), static("shop_reco/theme.css")]
        context["scripts"] = [*(given.get("scripts") or []), static("shop_reco/landmarks.js")]
        if not context["account_links"] and reco_settings().STAFF_SECOND_FACTOR != "off":
            context["account_links"] = [
                {"title": _("Change password"), "link": self.page("password_change")},
                {"title": _("Second factor"), "link": self.page("second_factor")},
            ]
        context["show_languages"] = given.get("show_languages") or _has_language_switch()
        return context

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """What this person may see, in the groups of NAVIGATION."""
        pages = [(_("Dashboard"), "space_dashboard", self.page("index"))]
        for title, icon, model, page in PAGES:
            if self._may_view(request, model):
                pages.append((title, icon, reverse(f"{self.name}:{model.replace('.', '_')}_{page}")))
        first = [
            {"title": title, "icon": icon, "link": link, "active": request.path == link, "has_permission": True}
            for title, icon, link in pages
        ]
        groups: list[dict[str, Any]] = [{"title": "", "items": first}]
        for title, models in NAVIGATION:
            items = [self._entry(request, name, icon) for name, icon in models.items() if self._may_view(request, name)]
            if any(each["active"] for each in first):  # a page beside a table is not that table
                items = [{**each, "active": False} for each in items]
            groups.append({"title": title, "items": items})
        return groups

    def page(self, name: str) -> str:
        return reverse(f"{self.name}:{name}")

    def _entry(self, request: HttpRequest, name: str, icon: str) -> dict[str, Any]:
        options = apps.get_model(name)._meta
        link = reverse(f"{self.name}:{options.app_label}_{options.model_name}_changelist")
        return {
            "title": capfirst(str(options.verbose_name_plural)),
            "icon": icon,
            "link": link,
            "active": request.path.startswith(link),
            "has_permission": True,
        }

    def _may_view(self, request: HttpRequest, name: str) -> bool:
        if not apps.is_installed("django_celery_beat") and name.startswith("django_celery_beat."):
            return False
        admin = self._registry.get(apps.get_model(name))
        return admin is not None and admin.has_view_or_change_permission(request)


def _has_language_switch() -> bool:
    try:
        reverse("set_language")
    except NoReverseMatch:
        return False
    return True


EXCHANGED = {Product: "shop_reco.products.resources.ProductResource"}
"""Tables that staff take out to a spreadsheet and bring back."""

admin_site = RecoAdminSite(name="reco_admin")
admins: dict[Any, Any] = {}
for app in ("staff", "users", "products", "events", "portraits", "recommendations", "privacy", "webhooks"):
    admins |= import_module(f"shop_reco.{app}.admin").ADMINS  # a higher app may have more to say of a lower one's rows
if apps.is_installed("django_celery_beat"):
    admins |= import_module("shop_reco.schedule_admin").ADMINS
for model, model_admin in admins.items():
    admin_site.register(model, exchanging(model_admin, EXCHANGED[model]) if model in EXCHANGED else model_admin)
