"""Steps that are judged without a database."""

from webapp.kit.migration_sql.schema import Schema
from webapp.services.operations.migrations.preflight import JudgedStep, PendingStep, Present, judge
from webapp.services.operations.migrations.schema_facts import TableSize

LARGE = TableSize(total_bytes=4_000_000_000, table_bytes=3_000_000_000, rows=10_000_000)
SMALL = TableSize(total_bytes=24_000, table_bytes=8_000, rows=5)
SIZES = {"content": LARGE, "users": LARGE, "roles": SMALL, "tags": SMALL}


def judge_sql(*steps: str, schema: Schema | None = None) -> JudgedStep:
    """Return the judgement of the last of some steps, upon two large and two small tables."""
    present = Present(
        schema=schema or Schema(existing=set(SIZES)),
        sizes=SIZES,
        applied=(),
        mapped={},
        finished=(),
        has_backup=True,
    )
    pending = [PendingStep(f"{number}", "do a thing", sql) for number, sql in enumerate(steps)]
    return judge(pending, present)[-1]


def refusals(*steps: str) -> str:
    """Return what the last of some steps is refused for."""
    return "\n".join(judge_sql(*steps).refusals)
