"""Rules about content that an installed package brings.

A package names a function in the group `imprint.content_checks` of its entry points; it takes a
`Page` and returns `Finding`s. A package of one's own needs no change of Imprint and no setting.
"""

from functools import cache
from importlib.metadata import entry_points

import structlog

from webapp.kit.content_checks.pages import Rule

GROUP = "imprint.content_checks"

log = structlog.get_logger()


@cache
def installed_rules() -> dict[str, Rule]:
    """Return the rules by the names of their entry points; what cannot be loaded is told and left.

    They are looked for once for each process.
    """
    found: dict[str, Rule] = {}
    for point in entry_points(group=GROUP):
        try:
            found[point.name] = point.load()
        except Exception:  # The code of others may raise anything.
            log.exception("content_rule.cannot_be_loaded", rule=point.name)
    return found
