"""Simulated players of the demo, who submit scores through the API."""

import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Final, Self

import httpx2

from scoreboard.domain.submissions import Caller
from scoreboard.resilience.failures import Failures

NAMES: Final = (
    "Ada", "Björk", "Chidi", "Dalia", "Emre", "Fatima", "Goro", "Hana", "Ines", "Jonas", "Kaia", "Luca",
    "Mira", "Noor", "Olek", "Priya", "Quinn", "Rosa", "Sami", "Tove", "Uma", "Viktor", "Wren", "Ximena",
    "Yusuf", "Zofia",
)  # fmt: skip

PAUSE_SECONDS: Final = 0.35
"""The average time between two scores. Each of 26 players scores every 9 s, within 10 a minute."""

OPENING_SCORES: Final = 10
"""The first scores have no pause, so that a new board is full at once."""

TIMEOUT_SECONDS: Final = 5.0


class SimulatedPlayers:
    """Context manager with a thread that submits scores, one player after the other in a changing order."""

    def __init__(self, url: str, actions: Sequence[str], sign: Callable[[Caller], str]) -> None:
        self._url = url
        self._actions = actions
        self._tokens = {f"sim-{name.lower()}": sign(Caller(f"sim-{name.lower()}", name)) for name in NAMES}
        self._stopped = Event()
        self._thread = Thread(target=self._play, name="simulated-players", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopped.set()
        self._thread.join(TIMEOUT_SECONDS)

    def _play(self) -> None:
        players = deque(random.sample(sorted(self._tokens), len(self._tokens)))
        failures = Failures("simulated players")
        pause_seconds, scored = 0.0, 0
        with httpx2.Client(base_url=self._url, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            while not self._stopped.wait(pause_seconds):
                # One of the five that have waited longest: no player scores too often, and the order changes.
                player = players[random.randrange(5)]
                players.remove(player)
                players.append(player)
                with failures.catch(), suppress(httpx2.HTTPError):
                    client.post(
                        "/api/scores",
                        json={"actionId": random.choice(self._actions), "userId": player},
                        headers={"Authorization": f"Bearer {self._tokens[player]}"},
                    )
                scored += 1
                if scored >= OPENING_SCORES:
                    pause_seconds = random.uniform(0.5, 1.5) * PAUSE_SECONDS
