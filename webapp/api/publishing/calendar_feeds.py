"""Secret addresses under which a calendar program reads what is planned."""

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from webapp.api.answers import answer, no_content
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import keeps_no_answer, open_session, web_context
from webapp.api.fields import Id, Input, Query
from webapp.api.zone_fields import ZoneName
from webapp.kit.permissions import Permission
from webapp.kit.visible_lines import check_line
from webapp.services.publishing import calendar_feeds

blueprint = Blueprint("feeds", title="Calendar feeds")


class NewFeed(Input):
    """What the feed is called, and in which zone its entries tell the time."""

    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(check_line)]
    zone: ZoneName = "UTC"


class FeedAnswer(BaseModel):
    """One feed."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    zone: str
    created_at: datetime
    last_used_at: datetime | None
    uses: int = Field(description="How often it was read.")


class NewFeedAnswer(FeedAnswer):
    """A new feed; its address is shown this once."""

    url: str = Field(description="What a calendar program subscribes to. Whoever has it reads it.")


class FeedList(BaseModel):
    """One's feeds, all of them."""

    items: list[FeedAnswer]
    next: None = None


class FeedPath(Query):
    """Which feed."""

    feed_id: Id


@blueprint.post(
    "/calendar-feeds", responses={201: NewFeedAnswer, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.CREDENTIAL_MANAGE)
@keeps_no_answer
def make(body: NewFeed) -> Response:
    """Make a secret address that shows a calendar program what you may see of what is planned.

    It shows 30 days back and 366 ahead, 200 and 800 moments at most, the nearest first chosen. It
    follows your rights at each reading, and ends when it is revoked, with your password and with
    your account. An account has 20 at most (409).
    """
    line, token = calendar_feeds.make(
        open_session(), current_actor(), name=body.name, zone=body.zone
    )
    # Some calendar programs lose a query, so the token stands in the path.
    url = f"{web_context().settings.base_url}/calendar/{token}.ics"
    shown = FeedAnswer.model_validate(line).model_dump()
    return answer(NewFeedAnswer(**shown, url=url), 201)


@blueprint.get("/calendar-feeds", responses={200: FeedList, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.CREDENTIAL_MANAGE)
def list_feeds() -> Response:
    """List one's feeds, oldest first, with when each was read last and how often."""
    lines = calendar_feeds.list_feeds(open_session(), current_actor())
    return answer(FeedList(items=[FeedAnswer.model_validate(line) for line in lines]))


@blueprint.delete(
    "/calendar-feeds/<int:feed_id>", responses={204: None, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.CREDENTIAL_MANAGE)
def revoke(path: FeedPath) -> Response:
    """End one of one's feeds, at once."""
    calendar_feeds.revoke(open_session(), current_actor(), path.feed_id)
    return no_content()
