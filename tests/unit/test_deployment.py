"""docs/deployment.md: each setting is there, and each number is what its formula makes."""

import re
from pathlib import Path

import pytest

from benchmarks.sheet import cells
from scoreboard.config import PREFIX, Settings

DOCS = Path(__file__).parents[2] / "docs"
DEPLOYMENT, SCALING = ((DOCS / name).read_text(encoding="utf-8") for name in ("deployment.md", "scaling.md"))
SETTINGS = DEPLOYMENT.partition("## Every setting")[2].partition("\n## ")[0]


@pytest.mark.parametrize("field", Settings.model_fields)
def test_each_setting_is_in_the_table(field: str) -> None:
    name = f"{PREFIX}{field}".upper()
    endings = re.findall(r"`…(_[A-Z_]+)`", SETTINGS)
    assert f"`{name}" in SETTINGS or name.endswith(tuple(endings))


def test_every_number_that_is_reckoned_is_what_its_formula_makes() -> None:
    reckoned = [cell for cell in cells(DEPLOYMENT) if cell.is_reckoned]
    assert len(reckoned) > 40
    assert [cell for cell in reckoned if not cell.is_right] == []


def test_unit_costs_are_those_that_were_measured() -> None:
    of, measured = ({cell.name: cell.number for cell in cells(text)} for text in (DEPLOYMENT, SCALING))
    for here, there in (
        ("update_us", measured["instance_us_an_update"]),
        ("turn_us", measured["instance_us_a_turn"]),
        ("player_redis_bytes", measured["redis_bytes_a_place"] + measured["redis_bytes_a_name"]),
        ("event_bytes", measured["event_bytes"]),
        ("frame_bytes", measured["patch_bytes"] + measured["header_bytes"]),
    ):
        assert of[here] == round(there), here


def test_what_the_text_repeats_of_its_tables_is_there() -> None:
    of = {cell.name: cell.number for cell in cells(DEPLOYMENT)}
    assert f"grows by {of['event_bytes']:.0f} bytes an update" in DEPLOYMENT
    assert f"some {of['player_redis_bytes']:.0f} bytes a player" in DEPLOYMENT
