"""Find suspects: players whose recent awards come too fast, too regularly, or from a shared address."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Final

from sqlalchemy import CTE, Connection, Float, Subquery, and_, cast, distinct, func, not_, or_, select

from scoreboard.domain.administration import MIN_AWARDS, Suspect, SuspicionThresholds
from scoreboard.store.tables import READING_US, boards, players, score_events

HOUR_US: Final = 3_600_000_000


def find_suspects(
    connection: Connection, since_us: int, thresholds: SuspicionThresholds, limit: int
) -> Sequence[Suspect]:
    """Return the players that `AdminStore.suspects` describes."""
    recent = _recent_awards(_first_versions(connection, since_us), since_us)
    rates, addresses, totals = _hourly_rates(recent), _shared_addresses(recent), _totals(recent)
    variance = totals.c.mean_square - totals.c.mean * totals.c.mean
    is_regular = and_(
        totals.c.awards >= MIN_AWARDS,
        variance <= (thresholds.irregularity * totals.c.mean) * (thresholds.irregularity * totals.c.mean),
    )
    behind = func.coalesce(addresses.c.players, 0)
    rows = connection.execute(
        select(players.c.user_id, players.c.name, totals, rates.c.most, behind.label("behind"))
        .join(players, players.c.key == totals.c.player_key)
        .join(rates, rates.c.player_key == totals.c.player_key)
        .outerjoin(addresses, addresses.c.player_key == totals.c.player_key)
        .where(
            # A banned or erased player has been judged already.
            not_(players.c.is_banned),
            or_(
                rates.c.most >= thresholds.awards_an_hour,
                is_regular,
                behind >= thresholds.players_behind_address,
            ),
        )
        .order_by(totals.c.points.desc(), totals.c.player_key)
        .limit(limit)
    )
    return [
        Suspect(
            user_id=row.user_id,
            name=row.name,
            awards=row.awards,
            points=int(row.points),
            most_an_hour=row.most,
            interval_seconds=row.mean if row.awards >= MIN_AWARDS else None,
            irregularity=_irregularity(row.mean, row.mean_square) if row.awards >= MIN_AWARDS else None,
            players_behind_address=row.behind,
        )
        for row in rows
    ]


def _irregularity(mean: float, mean_square: float) -> float:
    return sqrt(max(0.0, mean_square - mean * mean)) / mean if mean else 0.0


def _first_versions(connection: Connection, since_us: int) -> Mapping[int, int]:
    """Return each board's first version since a time, by binary search: `at_us` never decreases."""
    first_versions = {}
    for board in connection.execute(select(boards.c.key, boards.c.version)).all():
        low, high = 1, board.version + 1
        while low < high:
            middle = (low + high) // 2
            at_us = connection.execute(
                select(score_events.c.at_us).where(
                    score_events.c.board_key == board.key, score_events.c.version == middle
                )
            ).scalar_one()
            low, high = (low, middle) if at_us >= since_us else (middle + 1, high)
        first_versions[board.key] = low
    return first_versions


def _recent_awards(first_versions: Mapping[int, int], since_us: int) -> CTE:
    """Select the awards since a time, each with the seconds since the player's previous one."""
    previous_us = func.lag(READING_US).over(
        partition_by=score_events.c.player_key, order_by=score_events.c.seq
    )
    return (
        select(
            score_events.c.player_key,
            READING_US.label("at_us"),
            score_events.c.points,
            score_events.c.address_hash,
            (cast(READING_US - previous_us, Float) / 1_000_000).label("gap"),
        )
        .where(
            score_events.c.seq.is_not(None),
            since_us <= READING_US,
            or_(
                *(
                    and_(score_events.c.board_key == key, score_events.c.version >= version)
                    for key, version in first_versions.items()
                )
            ),
        )
        .cte("recent")
    )


def _hourly_rates(recent: CTE) -> Subquery:
    hours = (
        select(recent.c.player_key, func.count().label("awards"))
        .group_by(recent.c.player_key, recent.c.at_us - recent.c.at_us % HOUR_US)
        .subquery("hours")
    )
    most = func.max(hours.c.awards).label("most")
    return select(hours.c.player_key, most).group_by(hours.c.player_key).subquery("rates")


def _shared_addresses(recent: CTE) -> Subquery:
    """Select, for each player, the largest number of players who share one of the player's addresses."""
    addresses = (
        select(recent.c.address_hash, func.count(distinct(recent.c.player_key)).label("players"))
        .where(recent.c.address_hash.is_not(None))
        .group_by(recent.c.address_hash)
        .subquery("addresses")
    )
    return (
        select(recent.c.player_key, func.max(addresses.c.players).label("players"))
        .join(addresses, addresses.c.address_hash == recent.c.address_hash)
        .group_by(recent.c.player_key)
        .subquery("shared")
    )


def _totals(recent: CTE) -> Subquery:
    return (
        select(
            recent.c.player_key,
            func.count().label("awards"),
            func.sum(recent.c.points).label("points"),
            func.avg(recent.c.gap).label("mean"),
            func.avg(recent.c.gap * recent.c.gap).label("mean_square"),
        )
        .group_by(recent.c.player_key)
        .subquery("totals")
    )
