"""POST /api/scores, as a client sees it."""

from tests.harness import Running


def test_an_action_counts_the_points_of_the_catalog(scoreboard: Running) -> None:
    response = scoreboard.score("ada", "quest")
    assert response.status_code == 201
    answer = response.json()
    (event,) = scoreboard.ledger()
    assert answer == {
        "eventId": str(event.event_id),
        "board": "main",
        "userId": "ada",
        "actionId": "quest",
        "points": 50,
        "score": 50,
        "rank": 1,
        "version": 1,
    }


def test_the_rank_is_the_position_on_the_board(scoreboard: Running) -> None:
    assert scoreboard.score("ada", "quest").json()["rank"] == 1
    assert scoreboard.score("bob", "duel").json()["rank"] == 2
    answer = scoreboard.score("bob", "duel").json()
    assert (answer["score"], answer["rank"], answer["version"]) == (60, 1, 3)


def test_boards_are_independent(scoreboard: Running) -> None:
    scoreboard.score("ada", "quest")
    answer = scoreboard.score("ada", "visit").json()
    assert (answer["board"], answer["score"], answer["version"]) == ("side", 5, 1)


NAMES = {
    "x" * 200: "x" * 128,
    "a\x00b\nc": "abc",
    "   ": None,
    "عدا": "عدا",
    "\u200b\u3164\u202e": None,
    "Bob\u202ereverse": "Bobreverse",
}


def test_names_are_cleaned_for_display(server: Running) -> None:
    """A player without a name that can be seen is shown by the user id."""
    for number, name in enumerate(NAMES):
        server.score(f"named-{number}", name=name)
    shown = {entry["userId"]: entry["name"] for entry in server.board()["entries"]}
    expected = {f"named-{number}": name or f"named-{number}" for number, name in enumerate(NAMES.values())}
    assert shown.items() >= expected.items()


def test_a_user_id_shown_as_a_name_is_cleaned_for_display(server: Running) -> None:
    for user_id, name in {"\u202emoc.elgoog": "moc.elgoog", "\u200b\u2060": "\\u200b\\u2060"}.items():
        assert server.score(user_id).json()["userId"] == user_id
        assert (user_id, name) in {(entry["userId"], entry["name"]) for entry in server.board()["entries"]}


def test_the_eleventh_score_in_a_minute_is_refused_until_retry_after(scoreboard: Running) -> None:
    for _ in range(10):
        assert scoreboard.score("ada").status_code == 201
        scoreboard.clock.advance(2)
    refused = scoreboard.score("ada")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == "40"
    assert "in 40 s" in refused.json()["detail"]
    scoreboard.clock.advance(39.5)
    refused = scoreboard.score("ada")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    scoreboard.clock.advance(0.5)
    assert scoreboard.score("ada").status_code == 201
    assert scoreboard.score("ada").status_code == 429


def test_each_user_has_one_limit_for_all_boards(scoreboard: Running) -> None:
    for number in range(10):
        assert scoreboard.score("ada", "quest" if number % 2 else "visit").status_code == 201
    assert scoreboard.score("ada", "visit").status_code == 429
    assert scoreboard.score("bob").status_code == 201


def test_refused_scores_do_not_count_for_the_limit(scoreboard: Running) -> None:
    for _ in range(10):
        scoreboard.score("ada")
    for _ in range(20):
        assert scoreboard.score("ada").status_code == 429
    scoreboard.clock.advance(60)
    assert scoreboard.score("ada").status_code == 201
    assert len(scoreboard.ledger()) == 11


def test_a_repeat_with_the_same_key_counts_once(scoreboard: Running) -> None:
    first = scoreboard.score("ada", key="abc")
    scoreboard.score("bob", "jackpot")
    again = scoreboard.score("ada", key="abc")
    assert again.status_code == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.json() == {**first.json(), "rank": 2}
    assert len(scoreboard.ledger()) == 2


def test_a_repeat_over_the_limit_gets_its_response(scoreboard: Running) -> None:
    first = scoreboard.score("ada", key="abc")
    for _ in range(9):
        scoreboard.score("ada")
    assert scoreboard.score("ada").status_code == 429
    assert scoreboard.score("ada", key="abc").json() == first.json()
    assert scoreboard.score("ada", key="new").status_code == 429


def test_a_key_with_another_action_is_refused(scoreboard: Running) -> None:
    scoreboard.score("ada", "quest", key="abc")
    response = scoreboard.score("ada", "duel", key="abc")
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert len(scoreboard.ledger()) == 1


def test_a_trusted_server_scores_for_any_user_without_naming_it(scoreboard: Running) -> None:
    game = scoreboard.token("game-server", name="The Game", scopes=("scores:write:any",))
    assert scoreboard.score("ada", token=game).status_code == 201
    assert scoreboard.board()["entries"][0]["name"] == "ada"


def test_a_score_never_leaves_the_exact_range(scoreboard: Running) -> None:
    assert scoreboard.score("ada", "jackpot").json()["score"] == 2**53 - 1
    response = scoreboard.score("ada", "quest")
    assert (response.status_code, response.json()["code"]) == (409, "score_out_of_range")
    assert scoreboard.board()["entries"][0]["score"] == 2**53 - 1
