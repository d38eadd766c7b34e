"""A rolling deploy under load: the scenario of the benchmarks, in a small and short form."""

from benchmarks.options import CannotMeasure, Options
from benchmarks.rolling_deploy import LIVE_AGAIN_SECONDS, PROMISED_AT_MOST, Pace, rolling_deploy
from tests.limits import LIMIT_SECONDS
from tests.programs import go_without

FEW = Options(seconds=1, rounds=1, players=1, streams=40, crowd=10, compares=False, rate=20)
SOON = Pace(grace_seconds=3.0, drain_seconds=1.0, around_seconds=0.5, patience_seconds=LIMIT_SECONDS)
"""The grace time must be enough for nginx to change its configuration, even on a busy machine."""

# A stream is live again after the pauses of its client. The time that the machine adds is not promised.
PROMISED = {**PROMISED_AT_MOST, "live_again_max_s": float("inf"), "paused_max_s": LIVE_AGAIN_SECONDS}


async def test_a_rolling_deploy_fails_no_post_loses_no_score_and_restores_each_stream_in_five_seconds() -> (
    None
):
    try:
        figures = await rolling_deploy(FEW, lambda _: None, SOON)
    except CannotMeasure as error:
        go_without(str(error))
    assert figures["streams_ended"] >= FEW.streams
    assert {name: figure for name, figure in figures.items() if figure > PROMISED.get(name, figure)} == {}
