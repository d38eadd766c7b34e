"""Validation of arguments."""

from collections.abc import Callable

import typer


def checked(check: Callable[[str], str], text: str, name: str | None = None) -> str:
    """Return the text unchanged. Raises BadParameter, with the argument's name if typer lacks it."""
    try:
        return check(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from error
