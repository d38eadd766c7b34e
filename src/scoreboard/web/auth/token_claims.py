"""Parsing the claims of a token, in the forms of different issuers."""

from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any, Final

from scoreboard.domain.boards import MAX_SCORE
from scoreboard.domain.definitions import MAX_COLUMNS
from scoreboard.domain.plain_text import check_id

PROOF_CLAIM: Final = "action"
"""Every proof has this claim and no user's token may, so that a proof is never accepted as a token."""

SCOPE_CLAIMS: Final = ("scope", "scp", "scopes", "permissions")
"""Claims with scopes: RFC 8693 and RFC 9068; Microsoft and Okta; Laravel Passport; Auth0.
The scopes of all of them count."""

MAX_NUMERIC_SUBJECT: Final = 2**53 - 1
"""A JSON library may have rounded a larger numeric `sub` to that of another user."""


def points_of(claim: object) -> int | None:
    """Return the points of a claim. Raises ValueError if it is not an integer within ±MAX_SCORE."""
    if claim is not None and (
        isinstance(claim, bool) or not isinstance(claim, int) or abs(claim) > MAX_SCORE
    ):
        raise ValueError("not points")
    return claim


def columns_of(claim: object) -> dict[str, int] | None:
    """Return the columns of a claim. Raises ValueError if it is not an object of such integers."""
    if claim is None:
        return None
    if not isinstance(claim, dict) or len(claim) > MAX_COLUMNS or None in claim.values():
        raise ValueError("not columns")
    return {check_id(name): points_of(value) or 0 for name, value in claim.items()}


def media_type(typ: object) -> str | None:
    """Return a header's `typ` in lower case and without a prefix, for comparison (RFC 7515, section 4.1.9).

    Raises ValueError if it is not a string.
    """
    if typ is None:
        return None
    if not isinstance(typ, str):
        raise ValueError("not a media type")  # noqa: TRY004  # The token's value is wrong, not a type in this program.
    return typ.strip().lower().removeprefix("application/")


def user_id_of(claim: object) -> str:
    """Return the user id of a `sub`. An integer becomes its decimal digits. Raises ValueError."""
    if isinstance(claim, int) and not isinstance(claim, bool) and abs(claim) <= MAX_NUMERIC_SUBJECT:
        return str(claim)
    if not isinstance(claim, str):
        raise ValueError("not a user id")  # noqa: TRY004
    return check_id(claim)


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return a token's scopes. Strings are split at U+0020 (RFC 6749, section 3.3); lists have one each."""
    found: set[str] = set()
    for name in SCOPE_CLAIMS:
        claim = claims.get(name)
        found.update(claim.split(" ") if isinstance(claim, str) else texts_of(claim))
    return frozenset(found - {""})


def audiences_of(claims: Mapping[str, Any]) -> Collection[str]:
    """Return a token's audiences. Cognito's access tokens name the app in `client_id` instead of `aud`."""
    if "aud" in claims or claims.get("token_use", "access") != "access":
        return texts_of(claims.get("aud"))
    return texts_of(claims.get("client_id"))


def texts_of(claim: object) -> Collection[str]:
    """Return a string or a list of strings as a list, such as `aud` (RFC 7519, section 4.1.3)."""
    if isinstance(claim, str):
        return [claim]
    return [text for text in claim if isinstance(text, str)] if isinstance(claim, list) else []


def time_us_of(claim: object) -> int:
    """Return a NumericDate. Raises ValueError if it is not a finite number: a token must expire."""
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not isfinite(claim):
        raise ValueError("not a time")
    return round(claim * 1_000_000)
