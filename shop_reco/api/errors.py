"""Errors that a client can act on: a code for programs, a sentence for people."""

from __future__ import annotations

from graphql import GraphQLError


class ApiError(GraphQLError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, extensions={"code": code})
