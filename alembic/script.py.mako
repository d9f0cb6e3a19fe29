"""${message}

Revision: ${up_revision}, after ${down_revision | comma,n}.

Say here what the step does and what its downgrade drops. Before it is committed, see that

- it is one logical change, and goes down as well as up with rows in the tables;
- every constraint and index has its name, inside op.f(), and every foreign key an ON DELETE and
  an index;
- a new NOT NULL column has a server default, or is filled by a step of its own;
- no lock is held while a table is read: a check or a foreign key on a table with rows is added
  NOT VALID in one step and validated in the next, an index on one is made CONCURRENTLY in
  `with op.get_context().autocommit_block():` with lock_timeout and statement_timeout at 0, where each
  statement can be run a second time;
- a step that takes something away says why nothing that runs needs it (`contract = "…"`) and from
  which step on (`contract_since = "…"`), and is part of a later release;
- a rule of tests/migrations/checklist.py that it has to break is named with the reason, in a line
  `# checklist: <rule> - <reason>`;
- a value, a table or a rule of the application is written out and not imported.
"""

import sqlalchemy as sa

from alembic import op
${imports + "\n" if imports else ""}
revision: str = ${repr(up_revision).replace("'", '"')}
down_revision: str | tuple[str, ...] | None = ${repr(down_revision).replace("'", '"')}
branch_labels: str | tuple[str, ...] | None = ${repr(branch_labels).replace("'", '"')}
depends_on: str | tuple[str, ...] | None = ${repr(depends_on).replace("'", '"')}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
