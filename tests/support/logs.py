"""What the service says of itself in its log. Knows no pytest."""

import logging
import re
from collections.abc import Iterable
from typing import Final

_SLOW: Final = re.compile(r"[A-Z]+ \S+ took [\d.]+ s \(")


def noted(records: Iterable[logging.LogRecord], least: int = logging.WARNING) -> list[logging.LogRecord]:
    """Records from a level on, but for those of slow answers: any answer is one where the machine is busy."""
    return [record for record in records if record.levelno >= least and not _SLOW.match(record.getMessage())]
