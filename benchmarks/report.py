"""Tables of what was measured beside its goals, as Markdown. Knows nothing of how it was measured."""

import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final

_LIBRARIES: Final = ("fastapi", "uvicorn", "sqlalchemy", "pydantic", "psycopg", "pyyaml", "datasette")


@dataclass(frozen=True, slots=True)
class Goal:
    to_reach: float
    stretch: float | None
    at_least: bool


def at_least(to_reach: float, stretch: float | None = None) -> Goal:
    return Goal(to_reach, stretch, at_least=True)


def at_most(to_reach: float, stretch: float | None = None) -> Goal:
    return Goal(to_reach, stretch, at_least=False)


def ratio(of: float | None, to: float | None) -> float | None:
    """None where one of them could not be measured."""
    return of / to if of is not None and to else None


@dataclass(frozen=True, slots=True)
class Row:
    """A value for each column of its table, None where it could not be measured. The goal is of the first."""

    what: str
    measured: tuple[float | None, ...]
    goal: Goal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    about: str
    columns: tuple[str, ...]
    rows: Sequence[Row]


def report(tables: Sequence[Table]) -> str:
    return "\n\n".join(["# Performance, measured", _machine(), *map(_table, tables)]) + "\n"


def _machine() -> str:
    known = [f"{name} {found}" for name in _LIBRARIES if (found := _version(name))]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {', '.join(known)}. Ratios taken in turns in one run, medians."
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _table(table: Table) -> str:
    has_goals = any(row.goal for row in table.rows)
    head = ["what", *table.columns, *(("to reach", "stretch", "reached") if has_goals else ())]
    lines = [head, ["---"] * len(head), *(_cells(row, has_goals) for row in table.rows)]
    written = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"## {table.title}\n\n{table.about}\n\n{written}"


def _cells(row: Row, has_goals: bool) -> list[str]:
    cells = [row.what, *(_number(value, row.unit) for value in row.measured)]
    if has_goals and row.goal:
        stretch = "" if row.goal.stretch is None else _number(row.goal.stretch, row.unit)
        cells += [_number(row.goal.to_reach, row.unit), stretch, _reached(row.measured[0], row.goal)]
    elif has_goals:
        cells += ["", "", ""]
    return cells


def _reached(measured: float | None, goal: Goal) -> str:
    def reaches(wanted: float | None) -> bool:
        if measured is None or wanted is None:
            return False
        return measured >= wanted if goal.at_least else measured <= wanted

    return "stretch" if reaches(goal.stretch) else "yes" if reaches(goal.to_reach) else "**no**"


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "not measured"
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004
    return f"{text} {unit}".rstrip()
