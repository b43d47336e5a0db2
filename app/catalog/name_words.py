"""The words of terms' names: which topics, providers, authors and tags have them. Knows no article."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, FromClause, Select, bindparam, func, literal, select

from app.catalog.audience import Published, count_of, is_visible
from app.catalog.fields import FieldName
from app.catalog.search_language import Phrase, stem_of, words_of_text
from app.catalog.tables import name_words, term_names, terms
from app.database.rows import text_in_parameter, texts_parameter
from app.database.statements import statement
from app.errors import TooManyWords

# The fields whose names `q` looks through: a type or a locale does not say what an article is about.
NAMED_FIELDS: Final[tuple[FieldName, ...]] = ("topic", "provider", "author", "tag")
# `name_words.name_id` of the words of a term's own key, a topic's id or a provider's domain. It is stored in
# every catalogue: never change it.
TERM_KEY: Final = 0
# A sentence of 50 words is a long one, and a name may have 65,536 characters.
MAX_WORDS_OF_NAME: Final = 50
# Above 50,000 words a prefix takes more than a second; one more letter makes it quick.
MAX_WORDS_OF_PREFIX: Final = 50_000
_LAST_CHARACTER: Final = "\U0010ffff"

# Tells the rows that are looked for in a table with `word` and `stem`.
WordCondition = Callable[[FromClause], ColumnElement[bool]]


def has_stem(table: FromClause) -> ColumnElement[bool]:
    return table.c.stem == bindparam("stem")


def is_word(table: FromClause) -> ColumnElement[bool]:
    return table.c.word == bindparam("word")


def has_prefix(table: FromClause) -> ColumnElement[bool]:
    return (table.c.word >= bindparam("word")) & (table.c.word <= bindparam("last"))


def prefix_values(prefix: str) -> dict[str, str]:
    return {"word": prefix, "last": prefix + _LAST_CHARACTER}


def too_many_words() -> TooManyWords:
    advice = f"begins more than {MAX_WORDS_OF_PREFIX:,} words; give more letters before `*`"
    return TooManyWords(advice)


def words_of_name(name: str) -> list[str]:
    return words_of_text(name, MAX_WORDS_OF_NAME)


def rows_of_name(
    field: str, term_id: int, name_id: int, name: str
) -> Iterator[tuple[str, str, int, int, str]]:
    """The rows of `name_words` for a name, with the values of its columns in their order."""
    return ((field, word, term_id, name_id, stem_of(word)) for word in dict.fromkeys(words_of_name(name)))


def is_called_by_key(field: str, by_name: int) -> bool:
    """True for a term whose key is no name of `term_names`, and yet what people call it."""
    return field == "topic" or (field == "provider" and not by_name)


def find_terms_named(connection: Connection, phrase: Phrase, published: Published) -> Sequence[int]:
    """Ids of the terms that have the phrase in a name that the asker may know, and articles."""
    *first_words, last = phrase.words
    if first_words:
        longest = max(first_words if phrase.is_prefix else phrase.words, key=len)
        names: Iterable[Any] = names_with_word(connection, is_word, published).stream({"word": longest})
        names = (row for row in names if has_phrase(words_of_name(row.name), phrase))
    elif phrase.is_prefix:
        names = names_with_word(connection, has_prefix, published).rows(prefix_values(last))
        if len(names) > MAX_WORDS_OF_PREFIX:
            raise too_many_words()
    else:
        names = names_with_word(connection, has_stem, published).stream({"stem": stem_of(last)})
    return list(dict.fromkeys(row.term_id for row in names))


def count_articles_named(
    connection: Connection, words: Sequence[str], published: Published
) -> dict[str, int]:
    """How many articles are filed under terms with these words in their names, of the words that any has."""
    dialect = connection.dialect.name
    rows = _counts_of_words(connection, dialect, published).rows({"words": texts_parameter(dialect, words)})
    counts: dict[tuple[str, int], int] = {(row.word, row.term_id): row.articles for row in rows}
    by_word: dict[str, int] = {}
    for (word, _), count in counts.items():
        by_word[word] = by_word.get(word, 0) + count
    return by_word


def are_typed(typed: Sequence[str], words: Sequence[str]) -> bool:
    """True if all of what is being typed is among the words; the last of it may go on."""
    *whole_words, prefix = typed
    return all(word in words for word in whole_words) and any(word.startswith(prefix) for word in words)


def has_phrase(words: Sequence[str], phrase: Phrase) -> bool:
    """True if the phrase's words stand side by side among these."""
    padded = f" {' '.join(phrase.words)}{'' if phrase.is_prefix else ' '}"
    return padded in f" {' '.join(words)} "


@statement
def names_with_word(condition: WordCondition, published: Published) -> Select[Any]:
    """The names that have a word, of terms with articles."""
    name = func.coalesce(term_names.c.name, terms.c.key).label("name")
    rows = _known_names(published).add_columns(name).where(condition(name_words))
    return rows.limit(MAX_WORDS_OF_PREFIX + 1) if condition is has_prefix else rows


@statement
def _counts_of_words(dialect: str, published: Published) -> Select[Any]:
    rows = _known_names(published).add_columns(
        name_words.c.word, count_of(terms, published).label("articles")
    )
    return rows.where(text_in_parameter(dialect, name_words.c.word, "words"))


def _known_names(published: Published) -> Select[Any]:
    """A row for each word of each name that the asker may know, of terms with articles.

    A described topic's id is a name of it too.
    """
    is_id = (name_words.c.name_id == TERM_KEY) & (terms.c.field == "topic") & (terms.c.described > 0)
    return (
        select(name_words.c.term_id)
        .join(terms, terms.c.id == name_words.c.term_id)
        .outerjoin(term_names, term_names.c.id == name_words.c.name_id)
        # Naming the fields lets the databases read the table by its key, which begins with the field.
        .where(name_words.c.field.in_([literal(field) for field in NAMED_FIELDS]))
        .where(count_of(terms, published) > 0)
        .where(is_id | is_visible(term_names, published))
    )
