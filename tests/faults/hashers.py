"""A hash of passwords that is quicker than a shop's, for sign-ins by the thousand."""

from __future__ import annotations

import os

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    iterations = int(os.environ.get("FAULTS_HASH_ROUNDS", PBKDF2PasswordHasher.iterations))
