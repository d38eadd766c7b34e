"""Simulated players: they score through the real API, so that a newcomer sees a board that lives."""

import http.client
import json
import random
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Final, Self
from urllib.parse import urlsplit

from scoreboard.domain.submissions import Caller
from scoreboard.resilience.failures import Failures

NAMES: Final = (
    "Ada", "Björk", "Chidi", "Dalia", "Emre", "Fatima", "Goro", "Hana", "Ines", "Jonas", "Kaia", "Luca",
    "Mira", "Noor", "Olek", "Priya", "Quinn", "Rosa", "Sami", "Tove", "Uma", "Viktor", "Wren", "Ximena",
    "Yusuf", "Zofia",
)  # fmt: skip

PAUSE_SECONDS: Final = 0.35
"""Between two scores, on average. Each player has its turn every nine seconds: below ten a minute."""

OPENING_SCORES: Final = 10
"""The first scores come without a pause: a new board is full at once."""

TIMEOUT_SECONDS: Final = 5.0


class SimulatedPlayers:
    """A thread that posts scores, one player after the other in an order that changes, until it is left."""

    def __init__(self, url: str, actions: Sequence[str], sign: Callable[[Caller], str]) -> None:
        self._url = urlsplit(url)
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
        assert self._url.hostname is not None
        connection = http.client.HTTPConnection(self._url.hostname, self._url.port, timeout=TIMEOUT_SECONDS)
        players = deque(random.sample(sorted(self._tokens), len(self._tokens)))
        failures = Failures("simulated players")
        scored = 0
        while not self._stopped.wait(
            0 if scored < OPENING_SCORES else random.uniform(0.5, 1.5) * PAUSE_SECONDS
        ):
            # Whoever has waited longest is among the first few: nobody comes too often, and the order is no circle.
            player = players[random.randrange(5)]
            players.remove(player)
            players.append(player)
            with failures.catch():
                try:
                    self._score(connection, player)
                except (OSError, http.client.HTTPException):
                    connection.close()
            scored += 1
        connection.close()

    def _score(self, connection: http.client.HTTPConnection, player: str) -> None:
        connection.request(
            "POST",
            "/api/scores",
            body=json.dumps({"actionId": random.choice(self._actions), "userId": player}),
            headers={"Authorization": f"Bearer {self._tokens[player]}", "Content-Type": "application/json"},
        )
        connection.getresponse().read()
