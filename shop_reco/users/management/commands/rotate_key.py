from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop_reco.users.errors import DeadKeyError, RotatingKeyError
from shop_reco.users.models import ApiKey
from shop_reco.users.services import rotate_key


class Command(BaseCommand):
    help = "Make the API key that follows another, of its name and scopes; it is printed this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prefix", help="what stands before the dot of the key that is to end")

    def handle(self, *args: Any, **options: Any) -> None:
        key = ApiKey.objects.filter(prefix=options["prefix"]).first()
        if key is None:
            raise CommandError(f"no API key begins with {options['prefix']}")
        try:
            _new, plain = rotate_key(key=key)
        except (DeadKeyError, RotatingKeyError) as error:
            raise CommandError(str(error)) from None
        self.stderr.write(f"{key} is taken until {key.ends_at:%Y-%m-%d %H:%M} UTC")
        self.stdout.write(plain)
