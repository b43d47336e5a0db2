"""Numbers that stand in people's catalogues: whoever changes one here makes all of them answer wrongly."""

from app.catalog.fields import FIELDS, Has
from app.catalog.index.sets import UNPUBLISHED_KEY


def test_the_keys_of_what_an_article_has_are_those_that_every_catalogue_has_stored() -> None:
    assert {has.name: int(has) for has in Has} == {
        "TOPIC": 0,
        "PROVIDER": 1,
        "TYPE": 2,
        "CATEGORY": 3,
        "TAG": 4,
        "LOCALE": 5,
        "SOURCE": 6,
        "IMAGE": 7,
        "RELATED": 8,
    }
    assert UNPUBLISHED_KEY == 1


def test_every_field_has_such_a_key() -> None:
    assert {Has.term_of(field) for field in FIELDS} == set(Has) - {Has.IMAGE, Has.RELATED}
