"""How a line of the log looks: text for people, JSON for collectors, each with its time in UTC and its level.

Everything goes to standard error, in one order.
"""

import json
import logging
import time
from typing import Any, Literal

from app.printable import escaped

LogStyle = Literal["text", "json", "off"]


class TextLine(logging.Formatter):
    """`2026-11-27T10:49:21.123Z WARNING The catalogue can be read again.`; a fault's traceback follows it."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{timestamp(record.created)} {record.levelname} {escaped(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": timestamp(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC to the millisecond, whatever the machine's zone and locale are."""
    whole = int(seconds)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int((seconds - whole) * 1000):03}Z"


def logging_configuration(style: LogStyle) -> dict[str, Any]:
    """This process has it and, by uvicorn, its workers. A log that is `off` still tells of failures."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "app.logs.JsonLine" if style == "json" else "app.logs.TextLine"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            # The start says what is served, and what is odd about it, whatever the style is.
            "app.serving": {"level": "INFO"},
            "app": {"level": "WARNING" if style == "off" else "INFO"},
            "uvicorn": {"level": "WARNING" if style == "off" else "INFO", "handlers": []},
        },
    }
