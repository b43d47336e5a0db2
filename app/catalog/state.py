"""Which catalogue this is, and in which revision."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from app.catalog.tables import catalogue


class State(NamedTuple):
    identity: str
    revision: int


def read_state(connection: Connection) -> State:
    return State(*connection.execute(select(catalogue.c.identity, catalogue.c.revision)).one())
