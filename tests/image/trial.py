"""What the image promises, tried on containers of it. Each check says what it has seen, or raises."""

import json
from collections.abc import Callable, Mapping
from secrets import token_urlsafe
from statistics import median
from time import monotonic, sleep
from typing import Any

import httpx2

from tests.image.containers import Container, Image
from tests.image.rooted import IS_ROOT
from tests.servers.postgresql import PostgresServer
from tests.servers.redis import RedisServer

STARTS = 5
START_SECONDS = 3.0
"""What the median start may take, until a board is read."""

LIMIT_SECONDS = 30.0
ASK_AGAIN_SECONDS = 0.01

USER = 10_001

BUILD_TOOLS = ("pip", "ensurepip._bundled", "setuptools", "wheel", "hatchling", "editables")
PROGRAMS = ("pip", "gcc", "cc", "make", "git", "curl")

LOOK = f"""
import importlib.util, json, os, shutil
def is_there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
folders = []
for place, below, _ in os.walk("/"):
    if place == "/":
        below[:] = [name for name in below if name not in ("proc", "sys", "dev")]
    if os.access(place, os.W_OK):
        folders.append(place)
print(json.dumps([
    [name for name in {BUILD_TOOLS!r} if is_there(name)],
    [name for name in {PROGRAMS!r} if shutil.which(name)],
    folders,
]))
"""

Say = Callable[[str], None]


class Failed(Exception):
    """Raised when the image does not do what it promises; tells what it did."""


def _expect(what: str, seen: Any, wanted: Any) -> None:
    if seen != wanted:
        raise Failed(f"{what}: {seen!r} in place of {wanted!r}")


def try_image(image: Image, say: Say, by_engine: bool = False) -> None:
    """Raises Failed."""
    with image.volume() as volume:
        version = image.run(["scoreboard", "--version"], volume)
        _expect("scoreboard --version", version.returncode, 0)
        say(f"ok: {version.stdout.strip()}")
        _look_around(image, volume, say)
        _keep_a_score(image, volume, say)
    times = [_start(image, by_engine) for _ in range(STARTS)]
    ready, read = (list(seconds) for seconds in zip(*times, strict=True))
    _within("start until /health/ready", ready, say, ", each time with a new database")
    _within("start until the first board", read, say, ", each time with a new database")
    user = f"user {USER}" if by_engine or IS_ROOT else "this user"
    say(f"ok: runs as {user} on a read-only root; health check; the stop signal ends it with 0")
    _distribute(image, say)


def _look_around(image: Image, volume: str, say: Say) -> None:
    for python in ("/app/bin/python", "/usr/local/bin/python3"):
        looked = image.run([python, "-c", LOOK], volume)
        if looked.returncode:
            raise Failed(f"{python}: {looked.stderr}")
        modules, programs, folders = json.loads(looked.stdout)
        _expect(f"build tools that {python} imports", modules, [])
        _expect("build tools in PATH", programs, [])
        _expect("folders that may be written", sorted(folders), ["/data", "/tmp"])
    say("ok: no build tools; /data and /tmp alone may be written")


def _keep_a_score(image: Image, volume: str, say: Say) -> None:
    with image.start(volume) as container:
        _ready(container)
        token = image.run(["scoreboard", "token", "ada"], volume).stdout.strip()
        body = {"actionId": "complete-quest", "userId": "ada"}
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx2.post(f"{_url(container)}/api/scores", json=body, headers=headers)
        _expect(f"the score's answer {answer.text}", answer.status_code, 201)
        _stop(container)
    with image.start(volume) as container:
        _ready(container)
        _expect("the board after a restart", [row["userId"] for row in _board(container)["entries"]], ["ada"])
        verified = image.run(["scoreboard", "verify"], volume)
        _expect(f"scoreboard verify, {verified.stdout}", verified.returncode, 0)
        _stop(container)
    say("ok: a score is kept over a restart; scoreboard verify says so")


def _distribute(image: Image, say: Say) -> None:
    """One of many instances: on PostgreSQL and Redis, which it migrates before, as a task of its own."""
    with (
        PostgresServer() as postgres,
        RedisServer(maxmemory_policy="noeviction") as redis,
        image.volume() as volume,
    ):
        settings = {
            "SCOREBOARD_DATABASE_URL": postgres.url(),
            "SCOREBOARD_REDIS_URL": redis.url,
            "SCOREBOARD_JWT_SECRET": token_urlsafe(48),
            "SCOREBOARD_ENV": "production",
        }
        migrated = image.run(["scoreboard", "migrate"], volume, settings)
        _expect(f"scoreboard migrate, {migrated.stderr}", migrated.returncode, 0)
        seconds = []
        for _ in range(STARTS):
            begun = monotonic()
            with image.start(volume, settings) as container:
                _ready(container)
                _board(container)
                seconds.append(monotonic() - begun)
                _stop(container)
        _within("start on PostgreSQL and Redis until the first board", seconds, say)


def _within(what: str, seconds: list[float], say: Say, after: str = "") -> None:
    told = ", ".join(f"{one:.2f}" for one in sorted(seconds))
    say(f"{what}: median {median(seconds):.2f} s ({told}){after}")
    if median(seconds) >= START_SECONDS:
        raise Failed(f"{what} took longer than {START_SECONDS:g} s")


def _start(image: Image, by_engine: bool) -> tuple[float, float]:
    """Seconds from the process's start until it is ready, and until a board is read; then all else that is promised."""
    with image.volume() as volume:
        begun = monotonic()
        with image.start(volume) as container:
            _ready(container)
            ready = monotonic() - begun
            _board(container)
            read = monotonic() - begun
            _expect("the exit code of the health check", container.health(), 0)
            if by_engine or IS_ROOT:
                _expect("the server's user", container.user(), USER)
            _stop(container)
            if not by_engine:
                _expect("a health check that has found nobody", container.health(), 1)
    return ready, read


def _url(container: Container) -> str:
    return f"http://{container.address}:{container.port}"


def _ready(container: Container) -> None:
    end = monotonic() + LIMIT_SECONDS
    while True:
        try:
            answer = httpx2.get(f"{_url(container)}/health/ready", timeout=LIMIT_SECONDS)
        except httpx2.TransportError:
            if monotonic() > end:
                raise Failed(f"the server did not answer:\n{container.ended()}") from None
            sleep(ASK_AGAIN_SECONDS)
        else:
            _expect("/health/ready", answer.status_code, 200)
            return


def _board(container: Container) -> Mapping[str, Any]:
    answer = httpx2.get(f"{_url(container)}/api/leaderboard")
    _expect("the board's answer", answer.status_code, 200)
    board: dict[str, Any] = answer.json()
    return board


def _stop(container: Container) -> None:
    code = container.stop()
    if code:
        raise Failed(f"the stop signal ended it with {code}:\n{container.ended()[-2_000:]}")
