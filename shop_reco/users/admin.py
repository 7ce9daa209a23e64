"""Who shops here and who works here, what shoppers allow, and the keys of servers."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin as PlainAdmin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from shop_reco.admin_base import (
    AddressedAdmin,
    BaseAdmin,
    EndlessAdmin,
    KeptAdmin,
    ReadOnlyAdmin,
    button,
    link_to,
    posted,
)
from shop_reco.conf import reco_settings
from shop_reco.staff.forms import ProofForm
from shop_reco.staff.second_factor import is_enrolled, is_installed, remove_second_factor
from shop_reco.staff.selectors import groups_to_give, may_do_as_much, role_name
from shop_reco.staff.sensitive import may_see_personal_data

from . import services
from .errors import DeadKeyError, RotatingKeyError
from .models import ApiKey, Consent, ConsentStatement, Shopper, ShopperLink, StaffRead
from .selectors import consents
from .statements import publish_statement


class ShopperAdmin(EndlessAdmin):
    list_display = ("__str__", "age_band", "gender", "region", "member_since", "created_at")
    list_filter = ("gender",)
    search_fields = ("external_id", "user__username", "^public_id")
    search_help_text = _("The shop's id of a shopper, or the letters and digits of a pseudonym")
    list_select_related = ("user",)
    ordering = ("pk",)
    readonly_fields: tuple[str, ...] = ("allows",)

    @display(description=_("allows"))
    def allows(self, shopper: Shopper) -> str:
        """What the shopper consents to; one query."""
        names = dict(Consent.Purpose.choices)
        given = [str(names[purpose]) for purpose, granted in consents(shopper=shopper).items() if granted]
        return ", ".join(given) or gettext("nothing")


class ShopperLinkAdmin(ReadOnlyAdmin):
    list_display = ("visitor", "account", "linked_at", "undone_at")
    list_select_related = ("visitor", "account")
    actions = ("undo",)

    @admin.action(description=_("Part the visitor and the account again"), permissions=["part"])
    def undo(self, request: HttpRequest, queryset: QuerySet[ShopperLink]) -> None:
        for link in queryset:
            services.undo_link(link=link)

    def has_part_permission(self, request: HttpRequest) -> bool:
        return self.may_change(request)


class ConsentAdmin(EndlessAdmin):
    list_display = ("shopper_page", "purpose", "decision", "source", "text_version", "decided_at", "superseded_at")
    list_filter = ("purpose", "granted", ("superseded_at", admin.EmptyFieldListFilter))
    search_fields = ("=shopper__external_id",)
    list_select_related = ("shopper",)

    @display(description=_("shopper"))
    def shopper_page(self, consent: Consent) -> str:
        return link_to(self, consent.shopper)

    @display(description=_("decision"), label={"yes": "success", "no": "danger"})
    def decision(self, consent: Consent) -> tuple[str, str]:
        return ("yes", gettext("allowed")) if consent.granted else ("no", gettext("refused"))


class ConsentStatementAdmin(KeptAdmin):
    """What shoppers read. A wording is never changed, since somebody may have agreed to it: add a version."""

    list_display = ("purpose", "version", "language", "since", "text")
    list_filter = ("purpose", "language")
    ordering = ("purpose", "-since", "language")
    fields = ("purpose", "version", "language", "text", "since")
    help_texts = {
        "purpose": _("What the shopper is asked to allow."),
        "version": _("A name of this wording, as in 2026-05; each language of the same wording has the same one."),
        "text": _("What the shopper reads before deciding; once published it is never changed."),
    }

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("reco_users.add_consentstatement")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: ConsentStatement, form: Any, change: bool) -> None:
        texts = {obj.language: obj.text}
        publish_statement(purpose=obj.purpose, version=obj.version, texts=texts, since=obj.since)
        obj.pk = ConsentStatement.objects.get(purpose=obj.purpose, version=obj.version, language=obj.language).pk


class StaffReadAdmin(EndlessAdmin):
    list_display = ("read_at", "staff", "what", "shopper_page", "why")
    list_filter = ("what",)
    search_fields = ("=staff__username", "=shopper__external_id")
    list_select_related = ("staff", "shopper")
    ordering = ("-pk",)

    @display(description=_("shopper"))
    def shopper_page(self, read: StaffRead) -> str:
        return link_to(self, read.shopper)


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        choices=ApiKey.Scope.choices, widget=forms.CheckboxSelectMultiple, label=_("scopes")
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes")


REMOVE = "reco_staff.remove_second_factor"
STATE_COLOURS = {"live": "success", "ending": "warning", "ended": "danger", "revoked": "danger"}


class ApiKeyAdmin(KeptAdmin):
    list_display = ("name", "prefix", "how", "scopes", "last_used_at", "created_at", "ends_at", "revoked_at")
    fields = (
        "name", "prefix", "standing", "scopes", "created_at", "last_used_at", "ends_at", "revoked_at",
        "earlier", "later", "buttons",
    )  # fmt: skip
    readonly_fields = fields
    help_texts = {
        "name": _("Which server has it; a key that follows this one has the same name."),
        "scopes": _("What the server may do with it. Give what it needs and no more; it cannot be changed later."),
    }
    ordering = ("name", "-pk")
    actions = ("rotate", "revoke")

    def get_urls(self) -> list[URLPattern]:
        name = "reco_users_apikey_rotate"
        rotate = path("<int:pk>/rotate/", self.admin_site.admin_view(self.post_rotate), name=name)
        return [rotate, *super().get_urls()]

    @display(description=_("state"), label=STATE_COLOURS)
    def how(self, key: ApiKey) -> tuple[str, str]:
        state = key.state(timezone.now())
        return state.value, str(state.label)

    @display(description=_("state"))
    def standing(self, key: ApiKey) -> str:
        return str(key.state(timezone.now()).label)

    @display(description=_("follows"))
    def earlier(self, key: ApiKey) -> SafeString | str:
        return link_to(self, key.follows)

    @display(description=_("is followed by"))
    def later(self, key: ApiKey) -> SafeString | str:
        return format_html_join(", ", "{}", ((link_to(self, each),) for each in key.followers.order_by("pk"))) or "-"

    @display(description=_("actions"))
    def buttons(self, key: ApiKey) -> SafeString | str:
        return button(self.address("rotate", key.pk), gettext("Rotate")) if key.is_taken(timezone.now()) else "-"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("reco_users.add_apikey")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({"form": ApiKeyForm} if obj is None else {}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("name", "scopes")
        may = self.has_rotate_permission(request)
        return [name for name in self.fields if may or name != "buttons"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else ()

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        key, plain = services.issue_key(name=obj.name, scopes=form.cleaned_data["scopes"])
        obj.pk, obj.prefix, obj.digest = key.pk, key.prefix, key.digest
        self._show(request, plain)

    def _show(self, request: HttpRequest, plain: str) -> None:
        messages.warning(request, gettext("The key, shown this once: %(key)s") % {"key": plain})

    @posted
    def post_rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_rotate_permission(request):
            raise PermissionDenied
        key = self._rotated(request, get_object_or_404(ApiKey, pk=pk))
        return HttpResponseRedirect(self.address("change", key.pk))

    @admin.action(description=_("Rotate"), permissions=["rotate"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            self._rotated(request, key)

    def has_rotate_permission(self, request: HttpRequest) -> bool:
        """Whoever rotates a key gets to read a new one, as whoever adds one does."""
        return self.may_change(request) and self.has_add_permission(request)

    def _rotated(self, request: HttpRequest, key: ApiKey) -> ApiKey:
        """The key that follows, told to whoever asked; the key itself where it cannot be followed now."""
        try:
            new, plain = services.rotate_key(key=key)
        except DeadKeyError:
            messages.error(request, gettext("%(key)s is no longer taken; add a new key instead.") % {"key": key})
        except RotatingKeyError:
            messages.error(
                request, gettext("%(key)s is being rotated already: revoke one of the two keys first.") % {"key": key}
            )
        else:
            self._show(request, plain)
            return new
        return key

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            services.revoke_key(key=key)


class GroupChoice(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Groups by the names of their roles, in the language of whoever reads."""

    def label_from_instance(self, obj: Any) -> str:
        return role_name(obj)


class UserAdmin(DjangoUserAdmin, AddressedAdmin):  # type: ignore[misc, type-arg]
    """Accounts, all of whose columns are personal: its pages are for those who may see such data.

    Nobody rises by it: whoever is no superuser gives roles of no more than they may do themselves, and leaves the
    accounts of those who may do more alone, their passwords above all.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    help_texts = {
        "first_name": _("For other staff to know them by. Empty: the username has to do."),
        "last_name": _("For other staff to know them by. Empty: the username has to do."),
        "email": _("Where a new password is sent, if the shop sends any. Empty: only other staff can set one."),
        "last_login": _("When this account last signed in. Empty: never."),
        "date_joined": _("When the account was made."),
    }

    readonly_fields = (*DjangoUserAdmin.readonly_fields, "second_factor")

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "auth_user_remove_second_factor"
        page = sensitive_post_parameters()(self.remove_second_factor)
        return [path("<int:pk>/remove-second-factor/", wrap(page), name=name), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or reco_settings().STAFF_SECOND_FACTOR == "off":
            return fieldsets
        return [*fieldsets, (_("Second factor"), {"fields": ("second_factor",)})]

    @display(description=_("second factor"))
    def second_factor(self, user: User) -> SafeString | str:
        """Whether there is one, and the way to take it from who lost it."""
        if not is_enrolled(user):
            return gettext("none set up")
        link = '<a class="text-primary-600 dark:text-primary-500 underline" href="{}">{}</a>'
        return format_html(link, self.address("remove_second_factor", user.pk), gettext("Remove the second factor"))

    def remove_second_factor(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """For who lost both app and codes. One's own is removed where it was set up, if at all."""
        user = self.get_object(request, str(pk))
        allowed = self.has_change_permission(request, user) and request.user.has_perm(REMOVE)
        if user is None or not (allowed and is_installed()) or user == request.user:
            raise PermissionDenied
        form = ProofForm(request, request.POST if request.method == "POST" else None)
        if form.is_valid():
            remove_second_factor(user=user, by=request.user, why=form.cleaned_data["why"])
            messages.success(request, gettext("%(user)s has no second factor any more.") % {"user": user})
            return HttpResponseRedirect(self.address("change", pk))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Remove the second factor of %(user)s") % {"user": user},
            "text": gettext("Make sure that it is they who ask: until they set up a new one, their password will do."),
            "button": gettext("Remove the second factor"), "final": True, "form": form,
            "here": request.get_full_path(), "back": self.address("change", pk),
        }  # fmt: skip
        return TemplateResponse(request, "shop_reco/admin/proof.html", context)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_see_personal_data(request.user) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_see_personal_data(request.user) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = may_see_personal_data(request.user) and super().has_change_permission(request, obj)
        return allowed and (obj is None or may_do_as_much(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = may_see_personal_data(request.user) and super().has_delete_permission(request, obj)
        return allowed and (obj is None or may_do_as_much(request.user, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        names = super().get_readonly_fields(request, obj)
        return names if request.user.is_superuser else (*names, "is_superuser", "user_permissions")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs |= {"form_class": GroupChoice, "queryset": groups_to_give(request.user)}
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class GroupAdmin(DjangoGroupAdmin, BaseAdmin):
    """Groups of staff, to give permissions to; those of the roles under the roles' names."""

    list_display = ("role", "name")
    help_texts = {
        "name": _("What staff call it. A group that is a role stays it under another name."),
        "permissions": _("What its members may do. Empty: nothing by being in it."),
    }
    list_display_links = ("role", "name")
    list_select_related = ("reco_role",)

    @display(description=_("role"))
    def role(self, group: Group) -> str:
        return role_name(group)


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {
    Shopper: ShopperAdmin,
    ShopperLink: ShopperLinkAdmin,
    Consent: ConsentAdmin,
    ConsentStatement: ConsentStatementAdmin,
    StaffRead: StaffReadAdmin,
    ApiKey: ApiKeyAdmin,
    Group: GroupAdmin,
}
if get_user_model() is cast(Any, User):  # a host with a user model of its own keeps it in its own admin
    ADMINS[User] = UserAdmin
