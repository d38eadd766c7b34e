"""A call that is tried again gets the answer of its first try, as most of AWS's own would.

Terraform has now and then lost an answer on the way, and was then refused at its second try: a rule was there already,
or was there no more.
"""

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Response

INVOCATION = "HTTP_AMZ_SDK_INVOCATION_ID"
"""https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html: the same at each try of one call."""


class SameAnswer:
    """Around moto's application (WSGI)."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._answers: dict[str, Response] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        invocation = environ.get(INVOCATION)
        answer = self._answers.get(invocation) if invocation else None
        if answer is None:
            answer = Response.from_app(self._application, environ, buffered=True)
            answer.freeze()
            if invocation and answer.status_code < 300:
                self._answers[invocation] = answer
        return answer(environ, start_response)
