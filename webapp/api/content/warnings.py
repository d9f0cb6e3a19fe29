"""What checks say of a version in answers that are about something else."""

from typing import Annotated

from pydantic import Field

from webapp.api.edge import open_session, web_context
from webapp.api.fields import Flag, Query
from webapp.api.problems import FindingAnswer
from webapp.services.content import checks, versions

Warnings = Annotated[
    list[FindingAnswer] | None,
    Field(
        description="What checks say of the version, errors first; at most 50. null where nobody "
        "asked: a save is checked with ?checks=true alone, what goes out always."
    ),
]


class ChecksQuery(Query):
    """Whether the answer shall tell what checks say."""

    checks: Flag = Field(
        False, description="Whether the version is rendered and checked; see `warnings`."
    )


def warnings_of(content_id: int, number: int) -> list[FindingAnswer]:
    """Return what checks say of a version that was changed, or goes out, in this request."""
    session = open_session()
    version = versions.get_version(session, content_id, number)
    content_url = web_context().settings.link_to_content("{slug}")
    found = checks.warnings_of(session, version, content_url)
    return [FindingAnswer.model_validate(finding) for finding in found]
