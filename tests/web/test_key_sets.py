"""Key sets of an identity provider that change, break and come back."""

from pathlib import Path
from typing import Any

from scoreboard import __version__
from tests.harness import Running, running
from tests.key_server import NO_KEY_SETS, publishing
from tests.web.signing import claims_of, jwk, key, signed


def first(scoreboard: Running, token: str) -> Any:
    """Return the first response after the key set was downloaded."""
    while (response := scoreboard.score(token=token)).status_code == 503:
        assert response.json()["code"] == "keys_unavailable"
    return response


def test_changes_of_a_key_set_take_effect(tmp_path: Path) -> None:
    with (
        publishing([jwk("RS256", "one")]) as issuer,
        running(tmp_path, jwt_secret=None, jwt_jwks_url=issuer.url) as s,
    ):
        token = signed(claims_of(s), key("RS256"), "RS256", kid="one")
        assert first(s, token).status_code == 201
        # This server accepts no secret.
        assert s.score(token=signed(claims_of(s))).status_code == 401
        asked = issuer.asked
        rotated = signed(claims_of(s), key("ES256"), "ES256", kid="two")
        issuer.keys = [jwk("ES256", "two")]
        # An unknown kid makes the server download the set, at most once a minute.
        assert s.score(token=rotated).status_code == 401
        assert issuer.asked == asked
        s.clock.advance(60)
        for _ in range(3):
            assert s.score(token=rotated).status_code == 201
        assert issuer.asked == asked + 1
        # Tokens of the old keys are removed from the cache.
        assert s.score(token=token).status_code == 401


def test_the_last_good_key_set_stays(tmp_path: Path) -> None:
    with (
        publishing([jwk("EdDSA", "one")]) as issuer,
        running(tmp_path, jwt_secret=None, jwt_jwks_url=issuer.url) as s,
    ):
        token = signed(claims_of(s), key("EdDSA"), "EdDSA", kid="one")
        assert first(s, token).status_code == 201
        for broken in (
            [],
            [{"kty": "RSA"}],
            [jwk("EdDSA", "one", use="enc")],
            [{"kty": "oct", "k": "c2VjcmV0"}],
        ):
            issuer.keys = broken
            s.clock.advance(60)
            assert s.score(token=signed(claims_of(s), key("stranger"), "RS256", kid="two")).status_code == 401
            assert (
                s.score(token=signed(claims_of(s, jti="x"), key("EdDSA"), "EdDSA", kid="one")).status_code
                == 201
            )
        issuer.fails = True
        for issuer.body in (*NO_KEY_SETS.values(), None):
            issuer.fails = issuer.body is None
            s.clock.advance(60)
            asked = issuer.asked
            assert s.score(token=signed(claims_of(s), key("stranger"), "RS256", kid="two")).status_code == 401
            assert issuer.asked == asked + 1
            assert s.score(
                token=signed(claims_of(s, jti="y"), key("EdDSA"), "EdDSA", kid="one")
            ).status_code in {
                201,
                429,
            }
        assert s.score(token=token).status_code == 201


def test_a_server_starts_without_a_usable_key_set_and_takes_the_first_good_one(tmp_path: Path) -> None:
    with publishing([jwk("ES256", "one")]) as issuer:
        issuer.fails = True
        with running(tmp_path, jwt_secret=None, jwt_jwks_url=issuer.url) as s:
            token = signed(claims_of(s), key("ES256"), "ES256", kid="one")
            for issuer.body in (None, *NO_KEY_SETS.values()):
                response = s.score(token=token)
                assert (response.status_code, response.json()["code"]) == (503, "keys_unavailable")
                assert response.headers["Retry-After"] == "1"
                issuer.fails = False
                s.clock.advance(60)
            # Boards can be read.
            assert s.board()["version"] == 0
            issuer.body = None
            s.clock.advance(60)
            assert first(s, token).status_code == 201
            assert issuer.agent == f"scoreboard/{__version__}"
