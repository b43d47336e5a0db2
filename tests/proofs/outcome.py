"""What a proof ends with: its numbers, its faults, a line that says both. Knows no proof by name."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import NoReturn

# These faults are enough to begin with.
_FAULTS_SHOWN = 20


@dataclass(slots=True)
class Outcome:
    """`numbers` are said in the order in which they came."""

    name: str
    numbers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        said = ", ".join(f"{number:,} {what}" for what, number in self.numbers.items())
        return f"{self.name}: {said}, {len(self.faults)} faults"


def conclude(*outcomes: Outcome) -> NoReturn:
    for outcome in outcomes:
        for fault in outcome.faults[:_FAULTS_SHOWN]:
            sys.stdout.write(f"FAULT {fault}\n")
        sys.stdout.write(f"{outcome}\n")
    sys.exit(any(outcome.faults for outcome in outcomes))
