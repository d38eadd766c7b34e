"""Who stands out among those who have scored lately: one plain query, which judges nobody."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Final

from sqlalchemy import CTE, Connection, Float, Subquery, and_, cast, distinct, func, not_, or_, select

from scoreboard.domain.administration import FEW_AWARDS, Suspect, SuspicionThresholds
from scoreboard.store.tables import READING_US, boards, players, score_events

HOUR_US: Final = 3_600_000_000


def stand_out(
    connection: Connection, since_us: int, conspicuous: SuspicionThresholds, limit: int
) -> Sequence[Suspect]:
    """See `interfaces.AdminStore.suspects`."""
    recent = _recent(_begins(connection, since_us), since_us)
    rates, crowds, figures = _rates(recent), _crowds(recent), _figures(recent)
    spread = figures.c.mean_square - figures.c.mean * figures.c.mean
    is_regular = and_(
        figures.c.awards >= FEW_AWARDS,
        spread <= (conspicuous.irregularity * figures.c.mean) * (conspicuous.irregularity * figures.c.mean),
    )
    behind = func.coalesce(crowds.c.players, 0)
    rows = connection.execute(
        select(players.c.user_id, players.c.name, figures, rates.c.most, behind.label("behind"))
        .join(players, players.c.key == figures.c.player_key)
        .join(rates, rates.c.player_key == figures.c.player_key)
        .outerjoin(crowds, crowds.c.player_key == figures.c.player_key)
        .where(
            # Who is banned or erased was judged already.
            not_(players.c.is_banned),
            or_(
                rates.c.most >= conspicuous.awards_an_hour,
                is_regular,
                behind >= conspicuous.players_behind_address,
            ),
        )
        .order_by(figures.c.points.desc(), figures.c.player_key)
        .limit(limit)
    )
    return [
        Suspect(
            user_id=row.user_id,
            name=row.name,
            awards=row.awards,
            points=int(row.points),
            most_an_hour=row.most,
            interval_seconds=row.mean if row.awards >= FEW_AWARDS else None,
            irregularity=_irregularity(row.mean, row.mean_square) if row.awards >= FEW_AWARDS else None,
            players_behind_address=row.behind,
        )
        for row in rows
    ]


def _irregularity(mean: float, mean_square: float) -> float:
    return sqrt(max(0.0, mean_square - mean * mean)) / mean if mean else 0.0


def _begins(connection: Connection, since_us: int) -> Mapping[int, int]:
    """Return each board's first version since a time, by binary search: `at_us` never decreases on a board."""
    begins = {}
    for key, newest in connection.execute(select(boards.c.key, boards.c.version)).all():
        low, high = 1, newest + 1
        while low < high:
            middle = (low + high) // 2
            at_us = connection.execute(
                select(score_events.c.at_us).where(
                    score_events.c.board_key == key, score_events.c.version == middle
                )
            ).scalar_one()
            low, high = (low, middle) if at_us >= since_us else (middle + 1, high)
        begins[key] = low
    return begins


def _recent(begins: Mapping[int, int], since_us: int) -> CTE:
    """The awards since then, each with the seconds since the player's last one."""
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
                    for key, version in begins.items()
                )
            ),
        )
        .cte("recent")
    )


def _rates(recent: CTE) -> Subquery:
    hours = (
        select(recent.c.player_key, func.count().label("awards"))
        .group_by(recent.c.player_key, recent.c.at_us - recent.c.at_us % HOUR_US)
        .subquery("hours")
    )
    most = func.max(hours.c.awards).label("most")
    return select(hours.c.player_key, most).group_by(hours.c.player_key).subquery("rates")


def _crowds(recent: CTE) -> Subquery:
    """Of each player the most that share one of its addresses."""
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
        .subquery("crowds")
    )


def _figures(recent: CTE) -> Subquery:
    return (
        select(
            recent.c.player_key,
            func.count().label("awards"),
            func.sum(recent.c.points).label("points"),
            func.avg(recent.c.gap).label("mean"),
            func.avg(recent.c.gap * recent.c.gap).label("mean_square"),
        )
        .group_by(recent.c.player_key)
        .subquery("figures")
    )
