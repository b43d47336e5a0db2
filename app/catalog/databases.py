"""The primary and its standbys: which of them answers, so that nobody hears of an older revision later."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from threading import Lock, Thread
from typing import Final, NamedTuple, Self

from sqlalchemy import Connection

from app.catalog.state import State, StateReader, read_current_state, read_state
from app.database.engines import require_primary
from app.database.snapshots import BEHIND_SECONDS, SPREAD_SECONDS, Reader
from app.errors import (
    ClippingsError,
    DatabaseUnavailable,
    DatabaseUnusable,
    NoCatalogue,
    PrimaryNeeded,
    SchemaOutdated,
    StandbysBehind,
)

# A standby that is behind is most often one of several, so another connection may lead to a newer one. Each
# look takes 0.3 ms of PostgreSQL; after two the primary knows better.
_LOOKS_AT_STANDBYS: Final = 2

# The thread has this name that looks whether a primary can be asked again.
LOOK_NAME: Final = "look for the primary"

# A database that cannot answer raises one of these, be it away or not ours.
UNREADABLE: Final = (DatabaseUnavailable, DatabaseUnusable, NoCatalogue, SchemaOutdated)


class Snapshot(NamedTuple):
    """What is read through `connection` is of `state`. Only the primary knows what has been undone."""

    connection: Connection
    state: State
    is_primary: bool


class Databases:
    """Opens snapshots on the standbys if there are any, and on the primary if they are too old or away.

    The floor is the newest state that this process knows of. Nothing older is answered, so a client that asks
    this process twice does not go back in time, whichever standbys it meets. Only the primary may lower it:
    its history is the true one, also after a backup was restored or a standby was promoted.
    """

    def __init__(self, primary: Reader, standbys: Reader | None = None) -> None:
        self.primary = primary
        self.standbys = standbys
        self._primary_state = StateReader(primary.engine)
        self._standby_state = StateReader(standbys.engine) if standbys else None
        self._floor: State | None = None
        # Several threads raise the floor at once, and the highest must stay.
        self._lock = Lock()

    @property
    def dialect(self) -> str:
        return self.primary.dialect

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for state_reader in (self._primary_state, self._standby_state):
            if state_reader:
                state_reader.close()
        for reader in (self.standbys, self.primary):
            if reader:
                reader.close()

    @contextmanager
    def snapshot(self, told: int = 0, minimum: int = 0, *, only_primary: bool = False) -> Iterator[Snapshot]:
        """The asker was told of revision `told` by a cursor or a token, and wants at least `minimum`.

        A state older than either comes from the primary alone, and is what the primary has for certain: a
        revision of `told` was then undone. Raises PrimaryNeeded where a standby fails amid the question, and
        what Reader.snapshot raises.
        """
        if self.standbys is None:
            with self.primary.snapshot() as connection:
                state = read_state(connection)
                if state.revision >= told:
                    yield Snapshot(connection, state, is_primary=True)
                    return
        with ExitStack() as opened:
            floor = self._floor
            snapshot = None if only_primary else self._of_standbys(opened, floor, max(told, minimum))
            yield snapshot or self._of_primary_or_nobody(opened, floor, told, minimum)

    def state_reading(self) -> Callable[[], State | None]:
        """What reads the newest state that can be known quickly, for one thread at a time.

        It returns None if nothing can be asked, and raises NoCatalogue or SchemaOutdated as the primary says.
        """
        if self.standbys is None or self._standby_state is None:
            return self._primary_state.read
        return partial(self._known_state, self.standbys, self._standby_state)

    def _known_state(self, standbys: Reader, standby_state: StateReader) -> State | None:
        floor = self._floor
        state = _state_of(standbys, standby_state)
        if state and state.is_as_new_as(floor):
            self._raise_floor(state)
            return state
        if state:
            # Another connection may lead to a standby that is not behind.
            standby_state.close_if_older(BEHIND_SECONDS)
        truth = self._truth()
        if truth is None:
            # The word that was told is still true, as far as anybody can be asked.
            return floor if state else None
        if not truth.is_as_new_as(floor):
            # The requests go on to the primary, and learn there whether something was undone.
            return None
        self._raise_floor(truth)
        return truth

    def _truth(self) -> State | None:
        """The state that the primary has. One that failed is asked again on a thread of its own.

        All requests wait for this reading, and a pooler keeps whoever asks for its server for seconds.
        """
        if not self.primary.has_failed:
            return _read(self.primary, self._primary_state)
        if not self.primary.is_away():
            Thread(target=_look_for, args=[self.primary], name=LOOK_NAME, daemon=True).start()
        return None

    def _of_standbys(self, opened: ExitStack, floor: State | None, revision: int) -> Snapshot | None:
        """None where they are away, or behind."""
        standbys = self.standbys
        if standbys is None:
            return None
        for _ in range(_LOOKS_AT_STANDBYS):
            if standbys.is_away():
                return None
            try:
                with ExitStack() as opening:
                    connection = opening.enter_context(_naming_failures(standbys))
                    # One that is behind may have another version's tables.
                    state = read_current_state(connection)
                    if state.revision >= revision and state.is_as_new_as(floor):
                        self._raise_floor(state)
                        opened.enter_context(opening.pop_all())
                        return Snapshot(connection, state, is_primary=False)
                    standbys.set_aside(connection)
            except UNREADABLE:
                return None
        return None

    def _of_primary_or_nobody(
        self, opened: ExitStack, floor: State | None, told: int, minimum: int
    ) -> Snapshot:
        try:
            return self._of_primary(opened, floor, told, minimum)
        except DatabaseUnavailable as error:
            if self.standbys is None or self.standbys.has_failed:
                raise
            # Most questions go on being answered, so this is no outage.
            raise StandbysBehind(
                f"The standbys are behind, and the primary cannot say more: {error}"
            ) from error

    def _of_primary(self, opened: ExitStack, floor: State | None, told: int, minimum: int) -> Snapshot:
        with ExitStack() as opening:
            if self.standbys and self.primary.is_away():
                raise DatabaseUnavailable("it could not be reached a moment ago.")
            connection = opening.enter_context(self.primary.snapshot())
            state = read_state(connection)
            if self.standbys and state.revision < minimum:
                require_primary(connection, "cannot know how new the catalogue is")
            if state.revision >= told and state.is_as_new_as(floor):
                self._raise_floor(state)
                opened.enter_context(opening.pop_all())
                return Snapshot(connection, state, is_primary=True)
        connection = opened.enter_context(self.primary.settled_snapshot())
        state = read_state(connection)
        self._lower_floor(floor, state)
        return Snapshot(connection, state, is_primary=True)

    def _raise_floor(self, state: State) -> None:
        # Most requests meet the state that is known, and need no lock for it.
        if self.standbys and state != self._floor:
            with self._lock:
                if state.is_as_new_as(self._floor):
                    self._floor = state

    def _lower_floor(self, floor: State | None, state: State) -> None:
        """Another thread may have raised the floor since it was `floor`; then that one stays."""
        if self.standbys:
            with self._lock:
                if self._floor == floor or state.is_as_new_as(self._floor):
                    self._floor = state


def _state_of(standbys: Reader, state_reader: StateReader) -> State | None:
    if standbys.is_away():
        return None
    # The pool closes its connections when they are old, and this one does not come back to it.
    state_reader.close_if_older(SPREAD_SECONDS)
    try:
        return _read(standbys, state_reader)
    except (NoCatalogue, SchemaOutdated):
        return None


def _look_for(reader: Reader) -> None:
    """The reader notes whether it can be asked again."""
    with suppress(ClippingsError), reader.snapshot():
        pass


def _read(reader: Reader, state_reader: StateReader) -> State | None:
    # Its connection may have ended with a server that is back by now.
    was_open = state_reader.is_open
    started_at = time.monotonic()
    state = state_reader.read()
    if state is None and was_open:
        state = state_reader.read()
    if state is None:
        reader.note_failure(time.monotonic() - started_at)
    else:
        reader.note_success()
    return state


@contextmanager
def _naming_failures(standbys: Reader) -> Iterator[Connection]:
    """A standby cancels a question that stands in the way of what it replays; the primary never does."""
    try:
        with standbys.snapshot() as connection:
            yield connection
    except DatabaseUnavailable as error:
        raise PrimaryNeeded(str(error)) from error
