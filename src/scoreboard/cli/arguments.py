"""What commands check in the same way."""

from collections.abc import Callable

import typer


def checked(check: Callable[[str], str], text: str, name: str | None = None) -> str:
    """A text as it came. Raises BadParameter, which names the argument where typer does not know it."""
    try:
        return check(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from error
