"""What an editor should look at in a version before it goes out."""

from flask import Response
from pydantic import BaseModel

from webapp.api.answers import answer
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, PRUNED, Blueprint
from webapp.api.edge import open_session, web_context
from webapp.api.fields import VersionPath
from webapp.api.problems import FindingAnswer
from webapp.kit.permissions import Permission
from webapp.services.content import checks, item_reads, versions

blueprint = Blueprint("checks", title="Versions")


class ChecksAnswer(BaseModel):
    """What all rules have to say of a version, errors first."""

    version: int
    findings: list[FindingAnswer]
    words: int
    reading_minutes: int


@blueprint.get(
    "/content/<int:content_id>/versions/<int:number>/checks",
    responses={200: ChecksAnswer, **ACCOUNT_PROBLEMS, **PRUNED},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def check_version(path: VersionPath) -> Response:
    """Look a version over: images without a text, links that lead nowhere, skipped headings, more.

    For whoever saves, submits or publishes it. What is found keeps it from going out only where it
    is an error and IMPRINT_CHECKS_REFUSE says so.
    """
    session = open_session()
    item_reads.require_item(session, current_actor(), path.content_id)
    version = versions.get_version(session, path.content_id, path.number)
    content_url = web_context().settings.link_to_content("{slug}")
    found = checks.check_version(session, version, content_url)
    return answer(
        ChecksAnswer(
            version=version.number,
            findings=[FindingAnswer.model_validate(finding) for finding in found.findings],
            words=found.words,
            reading_minutes=found.minutes,
        )
    )
