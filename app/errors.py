"""Errors that a caller can act on. Knows neither HTTP nor exit statuses."""


class ClippingsError(Exception):
    """Its text is one line for the person who called, without a path of the server, SQL or a secret."""


class SettingsError(ClippingsError):
    pass


class DatabaseUnavailable(ClippingsError):
    """The database is not reachable, full, locked for too long or broken; nothing was written."""


class PrimaryNeeded(DatabaseUnavailable):
    """A standby cannot answer this question, or not for certain: the same is to be asked of the primary."""


class StandbysBehind(DatabaseUnavailable):
    """Somebody was told of a revision that no database has which can be asked."""


class DatabaseUnusable(ClippingsError):
    """The database is not one of ours: another encoding, another program's, or a newer version's."""


class NoCatalogue(ClippingsError):
    """No import has made a catalogue yet."""

    def __init__(self) -> None:
        super().__init__("There is no catalogue yet: `clippings import PATH...` makes one.")


class SchemaOutdated(ClippingsError):
    pass


class QueryTimedOut(ClippingsError):
    pass


class ReadTooSlowly(ClippingsError):
    """A client reads an export so slowly that its snapshot would stay open for ever."""


class TooManyWords(ClippingsError):
    """A word with `*` begins more words than a search puts together."""


class ImportRefused(ClippingsError):
    """Another import is running, or this one would remove more than it may; nothing was written."""


class ExportFailed(ClippingsError):
    """A file could not be written; the files before it are complete."""


class SheetTooLarge(ClippingsError):
    """More articles, or more text, than a spreadsheet holds."""


class BackupFailed(ClippingsError):
    """No copy was made; a file of that name is as it was."""


class ServingFailed(ClippingsError):
    """The service could not begin, as on an address that is in use."""


class ReadersLost(ClippingsError):
    """The system ended a worker that was reading documents; nothing was written."""
