"""What is counted before a document is parsed: validation takes quadratic time of what these bound."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from graphql import GraphQLSyntaxError, Source, TokenKind
from graphql.language.lexer import Lexer

from shop_reco.api.errors import ApiError
from shop_reco.conf import reco_settings


def check_tokens(document: str) -> None:
    """Refuse a document of too many tokens, directives or repeats of one name.

    Raises:
        ApiError: DOCUMENT_TOO_LARGE, TOKEN_LIMIT, DIRECTIVE_LIMIT or REPEAT_LIMIT.
    """
    reco = reco_settings()
    if len(document.encode(errors="replace")) > reco.QUERY_BYTES:
        raise ApiError(
            "DOCUMENT_TOO_LARGE",
            f"the document may have {reco.QUERY_BYTES} bytes at most; send values as variables",
        )
    _check(document, reco.QUERY_TOKENS, reco.QUERY_DIRECTIVES, reco.QUERY_REPEATS)


@lru_cache(maxsize=256)
def _check(document: str, most: int, most_directives: int, most_repeats: int) -> None:
    names: Counter[str] = Counter()
    directives = 0
    for place, (kind, value) in enumerate(_tokens(document)):
        if place >= most:
            raise ApiError("TOKEN_LIMIT", f"the document may have {most} tokens at most; ask in several requests")
        if kind is TokenKind.AT:
            directives += 1
        if directives > most_directives:
            raise ApiError("DIRECTIVE_LIMIT", f"the document may have {most_directives} directives at most")
        if kind is TokenKind.NAME:
            names[value] += 1
            if names[value] > most_repeats:
                raise ApiError(
                    "REPEAT_LIMIT",
                    f"the document may name {value[:32]} {most_repeats} times at most; use a fragment or variables",
                )


def _tokens(document: str):  # type: ignore[no-untyped-def]
    lexer = Lexer(Source(document))
    try:
        while (token := lexer.advance()).kind is not TokenKind.EOF:
            yield token.kind, token.value
    except GraphQLSyntaxError:
        return  # the parser says where
