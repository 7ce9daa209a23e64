from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop_reco.staff.second_factor import is_installed, remove_second_factor


class Command(BaseCommand):
    help = "Take the second factor from an account whose owner lost both app and recovery codes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_installed():
            raise CommandError("nobody has one: django_otp is not in INSTALLED_APPS")
        users = get_user_model()
        user = users._default_manager.filter(**{users.USERNAME_FIELD: options["username"]}).first()
        if user is None:
            raise CommandError(f"there is no account named {options['username']}")
        if not remove_second_factor(user=user, by=None, why="by the command line"):
            raise CommandError(f"{options['username']} has none")
        self.stdout.write(f"{options['username']} signs in by the password alone until a new one is set up")
