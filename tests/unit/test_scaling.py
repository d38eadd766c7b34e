"""What docs/scaling.md reckons is what its formulas make of its inputs; and limits stand as documents say."""

import re
from collections.abc import Iterator
from importlib import import_module
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from benchmarks.costs import MEASURED
from benchmarks.sheet import Cell, WrongSheet, cells, evaluate, number, reckoned, split

DOCS = Path(__file__).parents[2] / "docs"
SCALING, IMPROVEMENTS = ((DOCS / name).read_text(encoding="utf-8") for name in ("scaling.md", "improvements.md"))

PLACE = re.compile(r"`(scoreboard(?:\.\w+)+)`")


@pytest.fixture
def patient_server() -> None:
    """The limits are those of the code."""


def wrong(document: str) -> list[Cell]:
    return [cell for cell in cells(document) if not cell.is_right]


def test_every_number_that_is_reckoned_is_what_its_formula_makes() -> None:
    assert sum(cell.is_reckoned for cell in cells(SCALING)) > 200
    assert wrong(SCALING) == []


def test_a_number_that_is_off_in_its_last_digit_is_found_out() -> None:
    for cell in [cell for cell in cells(SCALING) if cell.is_reckoned]:
        lines = SCALING.splitlines()
        row = split(lines[cell.line])
        row[cell.column] = f"{cell.shown[:-1]}{(int(cell.shown[-1]) + 2) % 10}"
        lines[cell.line] = f"| {' | '.join(row)} |"
        assert [one.name for one in wrong("\n".join(lines))] == [cell.name]


def test_an_input_that_is_changed_is_found_out_in_all_that_comes_of_it() -> None:
    (shown,) = re.findall(r"\| `cpu_us_a_frame` \| (\S+) \|", SCALING)
    changed = SCALING.replace(f"| `cpu_us_a_frame` | {shown} |", f"| `cpu_us_a_frame` | {2 * number(shown)} |")
    found = {cell.name for cell in wrong(changed)}
    assert {"streams_within_100_ms", "walk_ms", "frames", "whole_gbit_s", "relays"} <= found
    assert "updates_of_a_board" not in found
    assert wrong(reckoned(changed)) == []


def test_the_last_step_is_what_one_reckons_by_hand() -> None:
    of: dict[str, float] = {}
    for cell in cells(SCALING):
        # Of a row with several steps the last one stays.
        of[cell.name] = cell.number
    walk_seconds = 10_000 * of["cpu_us_a_frame"] / 1e6
    assert of["stream_instances"] == 1_000
    assert of["whole_gbit_s"] == pytest.approx(10e6 / walk_seconds * (of["frame_bytes"] + 112) * 8 / 1e9)
    assert of["ledger_gb_a_day"] == pytest.approx(100_000 * 86_400 * of["event_bytes"] / 1e9)
    turn_seconds = (of["turn_ms"] + 4 + 4 * 0.5) / 1e3 + 512 * of["turn_us_an_update"] / 1e6
    assert of["updates_of_a_board"] == pytest.approx(512 / turn_seconds)
    assert of["histories"] == ceil(100_000 * turn_seconds / 512 / 0.6)
    assert of["redis_gb"] == pytest.approx(2 * 100e6 * (of["redis_bytes_a_place"] + of["redis_bytes_a_name"]) / 1e9)


def test_the_walls_are_where_the_text_says() -> None:
    of: dict[str, list[float]] = {}
    for cell in cells(SCALING):
        of.setdefault(cell.name, []).append(cell.number)
    (share,), (network,) = of["share"], of["network_gbit_s"]
    for part in ("board_use", "redis_use"):
        one, two, three, _, five = of[part]
        assert max(one, two, three) < share / 2
        assert five > 1
    assert share < of["board_use"][3] < 1, "step 4 is said to be past what one plans with"
    assert of["frame_cores"][1] == pytest.approx(1), "step 2 is said to be the end of a core"
    assert of["whole_gbit_s"][1] < network < of["whole_gbit_s"][2]
    assert of["watchers"][2] < of["watchers_of_a_postgres"][0] < of["watchers_of_a_redis"][0] < 2 * of["watchers"][3]
    assert of["postgres_connections"][2] < of["postgres_connections_most"][0] < of["postgres_connections"][3]


def test_a_formula_is_reckoned_as_it_is_written() -> None:
    assert evaluate("ceil(a / 2) + min(a, 3) * max(1, 2) - 1_000", {"a": 7}) == 4 + 3 * 2 - 1_000
    for broken in ("b", "a ** 2", "a / 0", "open(a)", "a.real", "a +"):
        with pytest.raises(WrongSheet):
            evaluate(broken, {"a": 7})


def test_measuring_fills_in_what_was_measured_and_nothing_else() -> None:
    found = {name: 10.0 + 1.2345 * place for place, name in enumerate(MEASURED)}
    written = list(cells(reckoned(SCALING, found)))
    assert {cell.name: cell.number for cell in written if cell.name in found} == pytest.approx(found, rel=0.01)
    assert [cell for cell in written if not cell.is_right] == []
    assumed = {cell.name: cell.number for cell in cells(SCALING) if cell.name not in found and not cell.is_reckoned}
    assert {cell.name: cell.number for cell in written if cell.name in assumed} == assumed


def test_the_measured_inputs_are_those_that_the_load_tool_finds() -> None:
    table = SCALING.partition("| name | value | what it is |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == MEASURED


def test_a_row_that_is_named_in_the_text_is_there() -> None:
    names = {cell.name for cell in cells(SCALING)}
    others = {"score_events", "max_connections", "queue_full", "player_busy", "score_out_of_range"}
    text = " ".join(re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)`", SCALING + IMPROVEMENTS))
    assert set(text.split()) - names - others == set()


def limits() -> Iterator[tuple[str, str]]:
    """Each place in the code that a table names, and the number that stands beside it."""
    for document in (SCALING, IMPROVEMENTS):
        header: list[str] = []
        for line in document.splitlines():
            row = split(line) if line.startswith("|") else []
            if not row or "where it stands" in row:
                header = row
            elif header and (named := PLACE.match(row[header.index("where it stands")])):
                yield named[1], row[header.index("value")]


@pytest.mark.parametrize(("place", "shown"), list(limits()))
def test_a_limit_is_what_the_code_has(place: str, shown: str) -> None:
    assert found(place) == number(shown)


def found(place: str) -> Any:
    """What a dotted name leads to; of a setting its default."""
    parts = place.split(".")
    depth = next(depth for depth in range(len(parts), 0, -1) if is_module(".".join(parts[:depth])))
    value: Any = import_module(".".join(parts[:depth]))
    for part in parts[depth:]:
        is_setting = isinstance(value, type) and issubclass(value, BaseModel)
        value = value.model_fields[part].default if is_setting else getattr(value, part)
    return value


def is_module(name: str) -> bool:
    try:
        import_module(name)
    except ModuleNotFoundError:
        return False
    return True


def test_many_limits_are_held() -> None:
    assert len(list(limits())) > 25
