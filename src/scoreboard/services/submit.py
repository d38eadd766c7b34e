"""Submissions of scores: the request is checked, committed, applied to the ranking, and answered."""

from scoreboard.domain.digests import Digests
from scoreboard.domain.events import NewId
from scoreboard.domain.request_checks import make_submission
from scoreboard.domain.scopes import WRITE_ANY_SCORES
from scoreboard.domain.submissions import NO_PROVENANCE, Caller, Provenance, SubmissionRequest
from scoreboard.services.group_commit import GroupCommit
from scoreboard.services.read_boards import BoardReader
from scoreboard.services.write_queue import Receipt
from scoreboard.settings.catalog import Catalog


class Submitter:
    """Submits the actions of players and trusted servers."""

    def __init__(
        self,
        catalog: Catalog,
        commit: GroupCommit,
        reader: BoardReader,
        *,
        new_id: NewId,
        digests: Digests | None = None,
    ) -> None:
        self._catalog = catalog
        self._commit = commit
        self._reader = reader
        self._new_id = new_id
        self._digests = digests or Digests()

    async def submit(
        self,
        caller: Caller,
        request: SubmissionRequest,
        idempotency_key: str | None = None,
        provenance: Provenance = NO_PROVENANCE,
    ) -> Receipt:
        """Commit a submission, and return its event once it is durable.

        Raises UnknownAction, all errors of `make_submission`, and all errors of `GroupCommit.submit`.
        """
        action = self._catalog.action(request.action_id)
        key = None
        if idempotency_key is not None:
            is_server = WRITE_ANY_SCORES in caller.scopes
            key = self._digests.submission(caller.user_id, idempotency_key, is_server=is_server)
        submission = make_submission(
            caller, request, action, event_id=self._new_id(), key=key, provenance=provenance
        )
        receipt = await self._commit.submit(submission)
        if receipt.rank is None and receipt.replayed:
            rank = await self._reader.rank(receipt.event)
            return Receipt(
                receipt.event, rank, replayed=True, periods=await self._reader.results(receipt.event)
            )
        return receipt
