"""Write the tables of docs/personal-data.md as webapp/models/personal_data.py says them.

python -m dev.personal_data_page
"""

from itertools import groupby
from pathlib import Path

from webapp.models.held import Held
from webapp.models.personal_data import HELD

PAGE = Path(__file__).resolve().parents[1] / "docs" / "personal-data.md"
BEGIN, END = "<!-- what is kept: begin -->\n", "<!-- what is kept: end -->\n"
HEADER = "| table | whose | why | how long |\n|---|---|---|---|\n"
ERASURES = "| table | columns | at an erasure |\n|---|---|---|\n"


def rendered() -> str:
    """Return what stands between the two marks of the page."""
    held = "".join(
        f"| `{name}` | {table.whose} | {table.why} | {_until(table)} |\n"
        for name, table in HELD.items()
    )
    erased = "".join(_erasures(name, table) for name, table in HELD.items())
    return f"{HEADER}{held}\n{ERASURES}{erased}"


def main() -> None:
    """Write them into the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{rendered()}{END}{after}", encoding="utf-8")


def _until(table: Held) -> str:
    return " ".join(
        f"`{word}`" if word.startswith("IMPRINT_") else word for word in table.until.split()
    )


def _erasures(name: str, table: Held) -> str:
    by_treatment = groupby(
        sorted(table.erasures(), key=lambda column: column[1:]), lambda column: column[1:]
    )
    return "".join(
        f"| `{name}` | {' '.join(f'`{column}`' for column, *_ in columns)} "
        f"| {erasure}{f': {why}' if why else ''} |\n"
        for (erasure, why), columns in by_treatment
    )


if __name__ == "__main__":
    main()
