"""Sign tokens and proofs in your backend, with PyJWT and the secret that the scoreboard also knows."""

import os
import time
from uuid import uuid4

import jwt

SECRET = os.environ["SCOREBOARD_JWT_SECRET"]


def user_token(user_id: str, name: str) -> str:
    """Return a token for a user's browser. It can raise this user's score only."""
    claims = {"sub": user_id, "name": name, "scope": "scores:write", "exp": int(time.time()) + 900}
    return jwt.encode(claims, SECRET, algorithm="HS256")


def server_token(server: str) -> str:
    """Return a token for your own server. It can raise any user's score: keep it on your machines."""
    claims = {"sub": server, "scope": "scores:write:any", "exp": int(time.time()) + 300}
    return jwt.encode(claims, SECRET, algorithm="HS256")


def proof(user_id: str, action_id: str) -> str:
    """Return a proof that a user has completed an action. The client redeems it once, within two minutes."""
    claims = {"sub": user_id, "action": action_id, "jti": str(uuid4()), "exp": int(time.time()) + 120}
    return jwt.encode(claims, SECRET, algorithm="HS256", headers={"typ": "scoreboard-proof+jwt"})
