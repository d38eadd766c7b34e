"""Validation of arguments."""

from collections.abc import Callable

import typer


def checked(check: Callable[[str], str], text: str, name: str | None = None) -> str:
    """Return the text unchanged. Raises BadParameter, with the name of the argument if typer does not know
    it.
    """
    try:
        return check(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from error
