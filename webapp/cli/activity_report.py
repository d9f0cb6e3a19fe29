"""What `flask activity verify` tells."""

from typing import Any

from webapp.services.operations.activity_verification import (
    MOST_WAITING,
    CheckedBlock,
    Fault,
    Link,
    Waiting,
)


class VerificationReport:
    """Adds up what is found of each block."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.blocks = self.lines = self.pruned_blocks = self.pruned_lines = self.erased = 0
        self.link = Link()
        self.fault: Fault | None = None
        self.waiting = Waiting(0, None)

    def add(self, found: CheckedBlock | Fault | Link) -> None:
        """Count a block, or note where one begins, or what is at fault."""
        if isinstance(found, Fault):
            self.fault = found
        elif isinstance(found, Link):
            self.link = found
        else:
            self.link = found.link
            self.blocks += 1
            self.erased += found.erased
            if found.is_pruned:
                self.pruned_blocks += 1
                self.pruned_lines += found.lines
            else:
                self.lines += found.lines

    def as_text(self) -> str:
        """Return the sentences."""
        if self.fault is not None:
            return f"Broken. {self.fault.sentence} {self.blocks:,} blocks before it are whole."
        waiting = f"{self.waiting.lines:,}"
        if self.waiting.lines == MOST_WAITING:
            waiting = f"at least {waiting}"
        return (
            f"Whole: {self.blocks:,} blocks with {self.lines:,} lines, {self.erased:,} of them"
            f" erased; {self.pruned_lines:,} lines in {self.pruned_blocks:,} blocks were pruned."
            f" {waiting} lines are not sealed yet.\n{self.link.number}:{self.link.hash.hex()}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return the same for a program."""
        fault = self.fault
        return {
            "is_whole": fault is None,
            "blocks": self.blocks,
            "lines": self.lines,
            "erased_lines": self.erased,
            "pruned_blocks": self.pruned_blocks,
            "pruned_lines": self.pruned_lines,
            "unsealed_lines": self.waiting.lines,
            "unsealed_since": self.waiting.since,
            "head": f"{self.link.number}:{self.link.hash.hex()}",
            "fault": fault
            and {"block": fault.block, "line": fault.line, "sentence": fault.sentence},
        }
