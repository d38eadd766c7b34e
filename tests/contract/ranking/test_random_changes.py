"""Each ranking equals a plain sorted list after random changes of a board with a random definition."""

from collections.abc import Iterator, Sequence
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoreboard.domain.boards import ALL_TIME, MAX_SCORE
from scoreboard.domain.definitions import Aggregation, Column, Definition, Sort, Ties
from scoreboard.domain.queries import After, Around, AtRanks, Page, Players, Query
from scoreboard.domain.standings import Change, ChangeKind, Entry, Standing
from scoreboard.ports.ranking import Ranking
from tests.contract.ranking.conftest import MakeRanking
from tests.making import change, standing

PLAYERS: Final = range(1, 8)
KINDS: Final = ("day", "week")

sorts = st.sampled_from(Sort)
columns = st.lists(sorts, max_size=2).map(
    lambda wanted: tuple(Column(f"c{n}", sort, Aggregation.LATEST) for n, sort in enumerate(wanted))
)
definitions = st.builds(
    Definition,
    aggregation=st.just(Aggregation.LATEST),
    sort=sorts,
    columns=columns,
    ties=st.sampled_from(Ties),
)
# Few values, so that many are equal.
values = st.sampled_from((-MAX_SCORE, -1, 0, 1, MAX_SCORE))
moves = st.tuples(
    st.sampled_from(PLAYERS),
    st.tuples(values, values, values),
    st.booleans(),  # the player keeps the earlier values
    st.sampled_from((True, True, True, False)),  # the player is listed
)
commits = st.lists(moves, max_size=4, unique_by=lambda move: move[0])
rollovers = st.sampled_from(KINDS)
steps = st.lists(
    st.tuples(st.none() | rollovers, commits, st.sampled_from(("step", "step", "lost"))), max_size=10
)


class Model:
    """The standings of a board in all its periods."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._standings: dict[tuple[str, int], Standing] = {}
        self.version = 0
        self.open = {kind: f"{kind}-0" for kind in KINDS}

    @property
    def periods(self) -> tuple[str, ...]:
        return (ALL_TIME, *self.open.values())

    def roll_over(self, kind: str) -> None:
        self.version += 1
        self.open[kind] = f"{kind}-{self.version}"

    def move(
        self, player: int, wanted: tuple[int, ...], *, keeps: bool, listed: bool
    ) -> Iterator[tuple[Standing, int | None]]:
        """Yield the player's new standing in each open period, and the rank."""
        self.version += 1
        for period in self.periods:
            old = self._standings.get((period, player))
            score, *own_columns = wanted[: 1 + len(self._definition.columns)]
            reached_version = self.version
            if keeps and old is not None:
                score, own_columns, reached_version = old.score, list(old.columns), old.reached_version
            new = standing(
                player,
                score,
                self.version,
                *own_columns,
                reached_version=reached_version,
                listed=listed,
                period=period,
            )
            self._standings[period, player] = new
            ranks = (entry.rank for entry in self.entries(period) if entry.user_id == f"user-{player}")
            yield new, next(ranks, None)

    def changes(self, after: int) -> Sequence[Standing]:
        """Return the standings of open periods that changed after a version, in the order of versions."""
        changed = (
            one for one in self._standings.values() if one.version > after and one.period in self.periods
        )
        return sorted(changed, key=lambda one: one.version)

    def entries(self, period: str) -> list[Entry]:
        listed = (one for (own, _), one in self._standings.items() if own == period and one.listed)
        rows = sorted((self._position(one), one) for one in listed)
        first_indexes: dict[tuple[int, ...], int] = {}
        for index, (position, _) in enumerate(rows):
            first_indexes.setdefault(position[:-1], index)
        is_shared = self._definition.ties is Ties.SHARED
        return [
            Entry(
                rank=1 + (first_indexes[position[:-1]] if is_shared else index),
                user_id=one.user_id,
                name=None,
                score=one.score,
                reached_at_us=one.reached_at_us,
                columns=one.columns,
                position=position,
            )
            for index, (position, one) in enumerate(rows)
        ]

    def _position(self, one: Standing) -> tuple[int, ...]:
        order_values = (
            -value if sort is Sort.DESCENDING else value
            for sort, value in zip(self._definition.sorts, one.values, strict=True)
        )
        is_latest = self._definition.ties is Ties.LATEST
        return (*order_values, -one.reached_version if is_latest else one.reached_version)

    def answers(self, period: str) -> Iterator[tuple[Query, Sequence[Entry]]]:
        """Yield queries about a period, and the right answers."""
        rows = self.entries(period)
        for limit, offset in ((100, 0), (3, 0), (2, 1), (2, len(rows))):
            yield Page(limit, offset), rows[offset : offset + limit]
        for index, row in enumerate(rows):
            yield After(row.position, 2), rows[index + 1 : index + 3]
        for old in self._standings.values():
            position = self._position(old)
            yield After(position, 9), [row for row in rows if row.position > position]
        for player in PLAYERS:
            found = [index for index, row in enumerate(rows) if row.user_id == f"user-{player}"]
            first = max(0, min(found[0] - 1, len(rows) - 3)) if found else 0
            yield Around(player, 3), rows[first : first + 3] if found else []
        yield Players(tuple(PLAYERS)), rows
        yield AtRanks((1, 2, 4, 99)), [rows[rank - 1] for rank in (1, 2, 4) if rank <= len(rows)]


async def fill(ranking: Ranking, model: Model, after: int) -> None:
    """Fill a copy as healing does, in two pages. No page splits an event."""
    changed = model.changes(after)
    middle = changed[len(changed) // 2].version if changed else after
    if middle < model.version and middle > after:
        early = [one for one in changed if one.version <= middle]
        await ranking.apply(change(ChangeKind.PAGE, after, middle, *early, periods=model.periods))
        after, changed = middle, [one for one in changed if one.version > middle]
    page = change(ChangeKind.LAST_PAGE, after, model.version, *changed, periods=model.periods)
    assert (await ranking.apply(page)).readable


async def check(ranking: Ranking, model: Model) -> None:
    for period in model.periods:
        for query, expected in model.answers(period):
            snapshot = await ranking.read("main", period, query)
            assert list(snapshot.entries) == list(expected), (period, query)
            assert (snapshot.version, snapshot.players) == (model.version, len(model.entries(period)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(definition=definitions, changes=steps)
async def test_a_ranking_equals_a_sorted_list_after_random_changes(
    make_ranking: MakeRanking,
    definition: Definition,
    changes: Sequence[tuple[str | None, Sequence[tuple[int, tuple[int, ...], bool, bool]], str]],
) -> None:
    async with make_ranking(definition) as ranking:
        await ranking.drop("main")
        model = Model(definition)
        await fill(ranking, model, 0)
        copied = 0
        for rollover, batch, fate in changes:
            before = model.version
            if rollover is not None:
                model.roll_over(rollover)
            moved = [
                found
                for player, wanted, keeps, listed in batch
                for found in model.move(player, wanted, keeps=keeps, listed=listed)
            ]
            if model.version == before or fate == "lost":
                continue
            step: Change = change(
                ChangeKind.STEP,
                before,
                model.version,
                *(new for new, _ in moved if new.period in model.periods),
                periods=model.periods,
            )
            applied = await ranking.apply(step)
            if applied.version < model.version:
                await fill(ranking, model, copied)
            else:
                expected = {(new.period, new.player): rank for new, rank in moved if rank is not None}
                assert applied.ranks == expected
            copied = model.version
            await check(ranking, model)
        if copied < model.version:
            await fill(ranking, model, copied)
        await check(ranking, model)
