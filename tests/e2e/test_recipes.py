"""The commands of some recipes, run as they are, do what the recipe says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.limits import LIMIT_SECONDS
from tests.programs import go_without
from tests.servers.process import free_port, outside_environment

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs" / "recipes"

END_SERVERS = "trap 'kill $(jobs -p) 2> /dev/null; wait' EXIT\n"

RESULTS = {
    "best-lap": r'"points":64020.*"score":61250.*"rank":2.*"ranks":.."rank":1,"score":61250',
    "golf": r'"rank":1,"userId":"ada".*"rank":2,"userId":"bob".*"rank":2,"userId":"cyd".*"rank":4,"userId',
    "weekly-league": (
        r'"periods":{"\d{4}-W\d\d":{"score":6,"rank":1}}.*"entries":\[{"rank":1,"userId":"ada".*"entries":\[\]'
        r'.*"pointsToNextRank":3.*"kind":"week".*event: leaderboard\ndata: {"board":"league","period":'
    ),
    "rating": (
        r'"score":15100.*"score":14994,"rank":1.*"score":15006,"rank":1.*"ranks":.."rank":1,"score":15006'
        r'.*"rank":2,"score":14994.*"pointsToNextRank":12'
    ),
    "friends": (
        r'"rank":3,"userId":"bob".*"rankInSet":1.*"rankInSet":3.*"unknown":."zoe".'
        r'.*"rank":4,.*"pointsToNextRank":130.*"entries":.."rank":3,"userId":"bob".*"rank":5,"userId":"cyd"'
    ),
    "daily-quest": r'"score":50.*"action_used_up_today"',
    "game-server": r'"userId":"ada".*"points":70',
    "private-board": r'"token_missing".*401.*"entries":\[\]',
    "rotate-the-secret": r"201\n403",
}


@pytest.mark.parametrize("name", RESULTS)
def test_the_commands_of_a_recipe_work(tmp_path: Path, name: str) -> None:
    if shutil.which("curl") is None:
        go_without("curl is needed for this test: on Debian, apt-get install curl")
    port = str(free_port())
    text = (RECIPES / f"{name}.md").read_text(encoding="utf-8")
    commands = "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)).replace(
        ":8000", f":{port}"
    )
    environment = {**outside_environment(), "SOURCE": str(ROOT), "SCOREBOARD_PORT": port}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", END_SERVERS + commands],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=4 * LIMIT_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(RESULTS[name], ran.stdout, re.DOTALL), ran.stdout + ran.stderr
