"""Parsing of the catalog, and its errors."""

from pathlib import Path

import pytest

from scoreboard.domain.errors import CatalogError, UnknownAction, UnknownBoard
from scoreboard.settings.catalog import load_catalog

GOOD = """
[boards.main]
title = "Main"
[actions.quest]
board = "main"
points = 50
title = "Quest"
"""


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
