"""Errors of tokens and scopes: who sends a request, and what that caller may do."""

from scoreboard.domain.errors.base import RequestError, RetryLater


class Unauthorized(RequestError):
    """The base class of errors of a request that does not prove who sends it."""


class TokenMissing(Unauthorized):
    """Raised if a request has no bearer token."""

    code = "token_missing"
    detail = "The request has no token: send “Authorization: Bearer …”."


class TokenInvalid(Unauthorized):
    """Raised if a token is malformed, lacks a required claim, or is not signed with a configured key."""

    code = "token_invalid"
    detail = "The token is not valid."


class TokenExpired(Unauthorized):
    """Raised if a token has expired."""

    code = "token_expired"
    detail = "The token has expired: get a new one."


class KeysUnavailable(RetryLater):
    """Raised if the keys that verify tokens have not been fetched yet."""

    code = "keys_unavailable"
    detail = "The keys that verify tokens are not available yet: try again."


class InsufficientScope(RequestError):
    """Raised if a valid token does not have the required scope."""

    code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The token does not have the scope {scope}.")
        self.scope = scope


class NotYourScore(RequestError):
    """Raised if a player's token is used to submit an action for another user."""

    code = "not_your_score"
    detail = "The token belongs to another user: send the userId of the token."


class ActionByServer(RequestError):
    """Raised if a player submits an action that only a trusted server may submit."""

    code = "action_by_server"
    detail = "Only a server with the scope scores:write:any may submit this action."


class PointsNotYours(RequestError):
    """Raised if a request sets the points and does not come from a trusted server."""

    code = "points_not_yours"
    detail = "The catalog sets the points of this action: leave “points” out."


class NameNotYours(RequestError):
    """Raised if a request sets a player's name and does not come from a trusted server."""

    code = "name_not_yours"
    detail = "Only a server with the scope scores:write:any may set a player's name: leave “name” out."
