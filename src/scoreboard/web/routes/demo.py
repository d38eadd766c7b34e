"""POST /demo/guests: a visitor of the demo gets a name and a token. Only in demo mode."""

from random import Random
from typing import Final

from fastapi import APIRouter
from pydantic import ConfigDict
from starlette.routing import BaseRoute

from scoreboard.domain.submissions import Caller
from scoreboard.settings.catalog import Catalog
from scoreboard.web.api_route import ApiRoute
from scoreboard.web.auth.tokens import Tokens
from scoreboard.web.schemas.fields import Schema

GUEST_SECONDS: Final = 86_400

_ADJECTIVES: Final = (
    "Amber", "Bold", "Calm", "Deft", "Eager", "Fleet", "Golden", "Happy", "Jolly", "Keen", "Lucky", "Merry",
    "Noble", "Quick", "Rapid", "Silver", "Swift", "Tidy", "Vivid", "Witty",
)  # fmt: skip
_ANIMALS: Final = (
    "Badger", "Crane", "Dolphin", "Eagle", "Falcon", "Gecko", "Heron", "Ibex", "Jaguar", "Koala", "Lynx",
    "Marten", "Newt", "Otter", "Panda", "Raven", "Seal", "Tapir", "Vole", "Wombat",
)  # fmt: skip


class ActionResponse(Schema):
    """An action that a guest can submit."""

    id: str
    board: str
    title: str
    points: int


class GuestResponse(Schema):
    """A new player, and a token with which to submit scores."""

    model_config = ConfigDict(validate_by_name=True)

    token: str
    user_id: str
    name: str
    actions: list[ActionResponse]


def demo_routes(catalog: Catalog, tokens: Tokens, random: Random) -> list[BaseRoute]:
    """Return the routes. Names are generated, so guests cannot choose offensive or other players' names."""
    router = APIRouter(include_in_schema=False, route_class=ApiRoute)
    actions = [
        ActionResponse(id=action.id, board=action.board, title=action.title, points=action.points)
        for action in catalog.actions.values()
        if action.needs_no_server and action.points is not None
    ]

    @router.post("/demo/guests", status_code=201)
    async def create_guest() -> GuestResponse:
        name = f"{random.choice(_ADJECTIVES)} {random.choice(_ANIMALS)}"
        guest = Caller(f"guest-{random.getrandbits(48):012x}", name)
        return GuestResponse(
            token=tokens.sign(guest, GUEST_SECONDS), user_id=guest.user_id, name=name, actions=actions
        )

    return router.routes
