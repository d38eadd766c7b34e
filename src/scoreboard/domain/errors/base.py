"""The base classes of all errors, and the errors of a start."""

from typing import ClassVar


class ScoreboardError(Exception):
    """The base class of all errors that the scoreboard raises deliberately.

    `code` is stable, for programs. `detail` is for people: what is wrong, then what to do.
    """

    code: ClassVar[str] = "error"
    detail: ClassVar[str] = ""

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(self.detail if detail is None else detail)


class StartError(ScoreboardError):
    """Raised if the program cannot start: an invalid setting, a port in use, an unusable database."""

    code = "cannot_start"


class CatalogError(StartError):
    """Raised if the catalog is invalid. The message names the key."""

    code = "catalog_invalid"


class SchemaError(StartError):
    """Raised if a database is not a scoreboard's, or does not have the schema that this program needs."""

    code = "schema_mismatch"


class RequestError(ScoreboardError):
    """The base class of errors in a request. The same request fails again."""


class RetryLater(ScoreboardError):
    """The base class of errors after which the request may succeed, `retry_after_us` microseconds later."""

    def __init__(self, retry_after_us: int = 1_000_000) -> None:
        super().__init__()
        self.retry_after_us = retry_after_us

    @property
    def retry_after_seconds(self) -> int:
        """Rounded up to whole seconds, at least 1."""
        return max(1, -(-self.retry_after_us // 1_000_000))
