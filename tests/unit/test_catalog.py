"""Parsing of the catalog, and its errors."""

from pathlib import Path

import pytest

from scoreboard.domain.boards import Action, ActionColumn, Board
from scoreboard.domain.definitions import Aggregation, Column, Definition, Sort, Ties
from scoreboard.domain.errors import CatalogError, UnknownAction, UnknownBoard
from scoreboard.domain.periods import PeriodKind
from scoreboard.settings.catalog import load_catalog

GOOD = """
[boards.main]
title = "Main"
[actions.quest]
board = "main"
points = 50
title = "Quest"
"""


def board(keys: str, action: str = "points = 50") -> str:
    """Return a catalog with these keys of a board, and of an action on it."""
    return (
        f"[boards.main]\ntitle = 'Main'\n{keys}\n[actions.quest]\nboard = 'main'\ntitle = 'Quest'\n{action}"
    )


BEST = "aggregation = 'best'\ncolumns = [{ id = 'time', sort = 'ascending' }]"


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert load_catalog(path).action("quest").points == 50


MISTAKES = {
    "not TOML": ("[boards", "not TOML"),
    "a number of very many digits": (GOOD.replace("50", "9" * 5_000), "not TOML"),
    "very many brackets": ("a = " + "[" * 5_000 + "]" * 5_000, "not TOML"),
    "no boards": ("[actions.a]\nboard='m'\npoints=1\ntitle='A'", "boards"),
    "no actions": ('[boards.main]\ntitle = "Main"', "actions"),
    "unknown top key": (GOOD + "[extra]\na=1", "extra"),
    "unknown key": (GOOD + "colour = 1", "actions.quest.colour"),
    "points missing": (GOOD.replace("points = 50", ""), "actions.quest.points"),
    "points zero": (GOOD.replace("50", "0"), "actions.quest.points"),
    "points negative": (GOOD.replace("50", "-5"), "actions.quest.points"),
    "points text": (GOOD.replace("50", '"50"'), "actions.quest.points"),
    "points true": (GOOD.replace("50", "true"), "actions.quest.points"),
    "points float": (GOOD.replace("50", "50.0"), "actions.quest.points"),
    "points too large": (GOOD.replace("50", "9007199254740992"), "actions.quest.points"),
    "unknown board": (GOOD.replace('board = "main"', 'board = "none"'), "actions.quest.board"),
    "over-long id": (GOOD.replace("[actions.quest]", f"[actions.{'x' * 129}]"), "actions.xxx"),
    "control character": (GOOD.replace("[boards.main]", '[boards."ma\\u0007in"]'), "boards."),
    "a cooldown of no time": (GOOD + "cooldown_seconds = 0", "actions.quest.cooldown_seconds"),
    "a required action that is none": (GOOD + "requires = 'none'", "actions.quest.requires"),
    "an action that requires itself": (
        GOOD + "requires = 'quest'",
        "actions.quest.requires: can never be met",
    ),
    "actions that require each other": (
        GOOD
        + "".join(
            f"[actions.{one}]\nboard='main'\npoints=1\ntitle='A'\nrequires='{other}'\n"
            for one, other in ("ab", "bc", "ca")
        ),
        "actions.a.requires: can never be met: a requires b requires c requires a.",
    ),
    "a moment without a time zone": (GOOD + "valid_from = 2026-12-24T18:00:00", "actions.quest.valid_from"),
    "an end before the beginning": (
        GOOD + "valid_from = 2026-12-24T18:00:00Z\nvalid_until = 2026-12-24T18:00:00Z",
        "actions.quest.valid_until",
    ),
    "a range without the points": (GOOD + "points_range = [1, 10]", "actions.quest.points_range"),
    "a range of one number": (GOOD + "points_range = [1]", "actions.quest.points_range"),
    "a time zone that is none": (
        GOOD.replace("[actions", 'timezone = "Mars/Olympus"\n[actions'),
        "boards.main.timezone",
    ),
    "a region for a time zone": (
        GOOD.replace("[actions", 'timezone = "Europe"\n[actions'),
        "boards.main.timezone",
    ),
    "a rule with a bad value": (GOOD + "max_total = 0", "actions.quest.max_total"),
    "a claimant that is none": (GOOD + "by = 'anybody'", "actions.quest.by"),
}


MISTAKES |= {
    "an aggregation that is none": (board("aggregation = 'mean'"), "boards.main.aggregation"),
    "a sort that is none": (board("sort = 'up'"), "boards.main.sort"),
    "ties that are none": (board("ties = 'random'"), "boards.main.ties"),
    "a period that is none": (board("periods = ['year']"), "boards.main.periods.0"),
    "a period twice": (board("periods = ['day', 'week', 'day']"), "boards.main.periods: name each"),
    "too many decimals": (board("decimals = 10"), "boards.main.decimals"),
    "a long unit": (board(f"unit = '{'x' * 17}'"), "boards.main.unit"),
    "no rows": (board("rows = 0"), "boards.main.rows"),
    "too many rows": (board("rows = 101"), "boards.main.rows"),
    "an opening without a time zone": (board("opens_at = 2026-12-24T18:00:00"), "boards.main.opens_at"),
    "an end before the opening": (
        board("opens_at = 2026-12-24T18:00:00Z\ncloses_at = 2026-12-24T18:00:00Z"),
        "boards.main.closes_at: must be after",
    ),
    "three columns": (
        board("aggregation = 'best'\ncolumns = [{ id = 'a' }, { id = 'b' }, { id = 'c' }]"),
        "boards.main.columns",
    ),
    "two columns with one id": (
        board("aggregation = 'best'\ncolumns = [{ id = 'a' }, { id = 'a' }]"),
        "boards.main.columns: two columns",
    ),
    "a column with a bad id": (
        board("aggregation = 'best'\ncolumns = [{ id = 'Time' }]"),
        "boards.main.columns.0.id",
    ),
    "a column with the id of the score": (
        board("aggregation = 'best'\ncolumns = [{ id = 'score' }]"),
        "boards.main.columns.0.id",
    ),
    "an aggregation of a column of whole events": (
        board("aggregation = 'best'\ncolumns = [{ id = 'a', aggregation = 'sum' }]"),
        "boards.main.columns.0.aggregation: remove it",
    ),
    "a column of a sum without an aggregation": (
        board("columns = [{ id = 'a' }]"),
        "boards.main.columns.0.aggregation: required",
    ),
    "no points on a sum": (board("", ""), "actions.quest.points: required"),
    "neither points nor a range": (board("aggregation = 'best'", ""), "actions.quest.points_range: required"),
    "points on a count": (board("aggregation = 'count'"), "actions.quest.points: remove it"),
    "a range of points on a count": (
        board("aggregation = 'count'", "points_range = [1, 2]"),
        "actions.quest.points_range: remove it",
    ),
    "a range from most to least": (
        board("aggregation = 'best'", "points_range = [2, 1]"),
        "actions.quest.points_range: must be [least, most].",
    ),
    "a column without a value": (board(BEST), "actions.quest.columns.time: required"),
    "a value of a column that the board does not have": (
        board(BEST, "points = 5\ncolumns = { time = 1, speed = 2 }"),
        "actions.quest.columns.speed",
    ),
    "a range of a column that the board does not have": (
        board("", "points = 5\ncolumns_range = { speed = [1, 2] }"),
        "actions.quest.columns_range.speed",
    ),
    "a limit in a period that the board does not have": (
        board("periods = ['day', 'week']", "points = 5\nmax_per_period = { week = 3, month = 10 }"),
        "actions.quest.max_per_period.month: the board “main” has no such period",
    ),
    "a limit in a period that is none": (
        board("periods = ['day']", "points = 5\nmax_per_period = { year = 3 }"),
        "actions.quest.max_per_period.year",
    ),
    "a limit of no uses in a period": (
        board("periods = ['day']", "points = 5\nmax_per_period = { day = 0 }"),
        "actions.quest.max_per_period.day",
    ),
    "a value outside the range of its column": (
        board(BEST, "points = 5\ncolumns = { time = 9 }\ncolumns_range = { time = [1, 2] }"),
        "actions.quest.columns_range.time",
    ),
}


@pytest.mark.parametrize(("text", "place"), MISTAKES.values(), ids=MISTAKES.keys())
def test_an_error_names_the_file_and_the_key(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(text)
    with pytest.raises(CatalogError) as told:
        load_catalog(path)
    assert str(told.value).startswith(f"{path}: ")
    assert place in str(told.value)


def test_an_error_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"nowhere\.toml: cannot be read"):
        load_catalog(tmp_path / "nowhere.toml")


def test_the_first_board_is_the_default(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text('[boards.zulu]\ntitle = "Z"\n[boards.alpha]\ntitle = "A"\n' + GOOD)
    catalog = load_catalog(path)
    assert catalog.board(None).id == "zulu"
    assert catalog.action("quest").points == 50
    with pytest.raises(UnknownBoard):
        catalog.board("none")
    with pytest.raises(UnknownAction):
        catalog.action("none")


def test_the_shipped_catalog_has_three_actions_on_its_first_board() -> None:
    catalog = load_catalog(None)
    first = catalog.board(None).id
    assert sum(action.board == first for action in catalog.actions.values()) >= 3


def test_a_board_has_the_definition_of_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    keys = """
aggregation = "best"
sort = "ascending"
columns = [{ id = "stars" }, { id = "time", sort = "ascending", decimals = 3 }]
ties = "shared"
periods = ["month", "day"]
decimals = 2
unit = "m"
rows = 25
opens_at = 2026-12-24T18:00:00+01:00
closes_at = 2026-12-25T18:00:00+01:00
"""
    path.write_text(
        board(keys, "points_range = [0, 900]\ncolumns = { stars = 3 }\ncolumns_range.time = [1, 2]")
    )
    catalog = load_catalog(path)
    assert catalog.board("main") == Board(
        "main",
        "Main",
        Definition(
            aggregation=Aggregation.BEST,
            sort=Sort.ASCENDING,
            columns=(
                Column("stars", Sort.DESCENDING, Aggregation.BEST),
                Column("time", Sort.ASCENDING, Aggregation.BEST, decimals=3),
            ),
            ties=Ties.SHARED,
            periods=(PeriodKind.DAY, PeriodKind.MONTH),
        ),
        decimals=2,
        unit="m",
        rows=25,
        opens_at_us=1_798_131_600_000_000,
        closes_at_us=1_798_218_000_000_000,
    )
    assert catalog.action("quest") == Action(
        "quest",
        "main",
        None,
        "Quest",
        points_range=(0, 900),
        columns=(ActionColumn("stars", 3), ActionColumn("time", range=(1, 2))),
    )


def test_each_submission_to_a_board_that_counts_is_one_point(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(board("aggregation = 'count'", ""))
    assert load_catalog(path).action("quest").points == 1
