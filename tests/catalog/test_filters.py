"""Which articles a query means: every rule of the clauses and filters, with an example of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from tests.support.services import EDITOR, encoded, service_of
from tests.support.worlds import World

pytestmark = pytest.mark.usefixtures("small_ranges")

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds")

# Six articles, of which Dunes says nothing but its title and Frost is not published.
CAST = {
    "Atlas": """
        topics: [AI, Space]
        provider: {name: NASA, domain: www.nasa.gov}
        authors: [Ada Lovelace, {name: Alan Turing}]
        type: article
        category: news
        tags: [Maps, "50%"]
        locale: en-US
        quality: 9
        heat: 1
        publishedDateTime: 2020-06-11
        updatedDateTime: 2020-06-20
        addedDateTime: 2020-06-21 12:00
        webUrl: https://www.nasa.gov/atlas?utm_source=mail
        images: [https://www.nasa.gov/atlas.png]
        related: [{title: Birds of the world}]
    """,
    "Birds": """
        topics: [Machine Learning]
        provider: {name: "Rock, Paper, Shotgun"}
        author: "[[Ada Lovelace]]"
        type: Video
        category: "*"
        tags: [maps]
        locale: no
        quality: 5
        heat: 1
        publishedDateTime: 2020-06-11T00:07:00Z
        ampWebUrl: https://amp.example/birds
    """,
    "Comet": f"""
        topics: [space]
        provider: {{name: Jet Propulsion Laboratory, domain: nasa.gov}}
        type: video
        category: -news
        quality: 0
        publishedDateTime: {YESTERDAY}
        updatedDateTime: {YESTERDAY}
        webUrl: https://nasa.gov/comet#tail
        related: [{{webUrl: https://nasa.gov/atlas}}]
    """,
    "Dunes": "",
    "Ember": """
        topics: [C++]
        category: say "hi"
        quality: -3
        publishedDateTime: 2020-06-12
        webUrl: https://Ember.example/?a=1&b=2
        images: [ember.png]
    """,
    "Frost": """
        published: false
        topics: [AI, Winter]
        type: video
        quality: 9
        publishedDateTime: 2020-06-11
    """,
}
TAXONOMY = {
    "ai": "taxonomy: topic\n_id: ai\nname: Artificial Intelligence\nshortname: AI",
    "ml": "taxonomy: topic\nname: Machine Learning\nshortname: ML\nparent: AI",
    "nasa": "taxonomy: organization\ndomain: nasa.gov\nname: NASA\notherNames: [Space Agency]",
}

# The editor asks; nobody else may ask for what is not published.
RULES = [
    ("all that is published", "", "Atlas Birds Comet Dunes Ember"),
    # Clauses
    ("a value", "topic=AI", "Atlas"),
    ("any of several", "topic=AI,C++", "Atlas Ember"),
    ("none of them, and also what has none at all", "topic=-AI,C++", "Birds Comet Dunes"),
    ("the parameter again is and also", "topic=AI & topic=Space", "Atlas"),
    ("and also not", "topic=Space & topic=-AI", "Comet"),
    ("has any", "topic=*", "Atlas Birds Comet Ember"),
    ("has none", "topic=-*", "Dunes"),
    ("anything or a value is anything", "topic=AI,*", "Atlas Birds Comet Ember"),
    ("neither a value nor anything is nothing", "topic=-AI,*", "Dunes"),
    ("parameters are and also to each other", "topic=Space & type=video", "Comet"),
    ("what contradicts itself finds nothing", "topic=AI & topic=-AI", ""),
    ("a value that nobody has", "topic=Gardening", ""),
    ("not what nobody has is everything", "topic=-Gardening", "Atlas Birds Comet Dunes Ember"),
    ("one that nobody has beside one that somebody has", "topic=Gardening,AI", "Atlas"),
    ("blanks around a value do not count", "topic= AI , C++ ", "Atlas Ember"),
    ("the same value twice is the value", "topic=AI,AI", "Atlas"),
    ("a minus later than the first sign is of the value", "topic=AI,-C++", "Atlas"),
    # Quoted values
    ("a comma within a value", 'provider="Rock, Paper, Shotgun"', "Birds"),
    ("without quotes it parts two values", "provider=Rock, Paper, Shotgun", ""),
    ("two quotes within quotes are one", 'category="say ""hi"""', "Ember"),
    ("a minus as it is written", 'category="-news"', "Comet"),
    ("a star as it is written", 'category="*"', "Birds"),
    ("not a value that begins with a minus", 'category=-"-news"', "Atlas Birds Dunes Ember"),
    ("a sign that means something to SQL", "tag=50%", "Atlas"),
    ("and one that does not", "tag=5_%", ""),
    # Topics
    ("a topic by its id", "topic=ai", "Atlas"),
    ("a topic by its name", "topic=Artificial Intelligence", "Atlas"),
    ("a topic by any spelling", "topic=ＡＲＴＩＦＩＣＩＡＬ   intelligence", "Atlas"),
    ("two spellings that no document describes are one topic", "topic=SPACE", "Atlas Comet"),
    ("a topic whose name has signs", "topic=c++", "Ember"),
    ("and not the topic without them", "topic=C", ""),
    ("a topic does not mean those below it", "topic=AI", "Atlas"),
    ("unless it is asked to", "topic=AI & descendants=true", "Atlas Birds"),
    ("also if it must not be there", "topic=-AI & descendants=true", "Comet Dunes Ember"),
    ("a topic that only hidden articles have", "topic=Winter", ""),
    # Providers
    ("a provider by its domain", "provider=nasa.gov", "Atlas Comet"),
    ("a provider by its domain with www", "provider=WWW.NASA.gov", "Atlas Comet"),
    ("a provider by a name that one article gives", "provider=jet propulsion laboratory", "Atlas Comet"),
    ("a provider by another name from its document", "provider=Space Agency", "Atlas Comet"),
    ("a provider that has no domain by its name", 'provider="rock, paper, shotgun"', "Birds"),
    ("a provider that is only the host of a URL", "provider=ember.example", "Ember"),
    ("without any provider", "provider=-*", "Dunes"),
    # Authors
    ("an author by name", "author=ada lovelace", "Atlas Birds"),
    ("two authors at once", "author=Ada Lovelace & author=Alan Turing", "Atlas"),
    ("without any author", "author=-*", "Comet Dunes Ember"),
    # Labels
    ("case does not count", "type=VIDEO", "Birds Comet"),
    ("a type, and nothing without one", "type=article,video", "Atlas Birds Comet"),
    ("not a type, and also what has none", "type=-video", "Atlas Dunes Ember"),
    ("a category", "category=News", "Atlas"),
    ("a tag in either spelling", "tag=MAPS", "Atlas Birds"),
    ("a locale", "locale=EN-us", "Atlas"),
    ("a locale is not its language", "locale=en", ""),
    ("a locale that YAML would read as false", "locale=no", "Birds"),
    # Sources and ids, as they are spelt
    ("a source", "source=news", "Atlas Birds Comet Dunes Ember"),
    ("a source in another spelling", "source=News", ""),
    ("an id", "id=pq3kxeayizjmllbrac6o", "Atlas"),
    ("an id in another spelling", "id=PQ3KXEAYIZJMLLBRAC6O", ""),
    ("all but an id", "id=-pq3kxeayizjmllbrac6o", "Birds Comet Dunes Ember"),
    ("the story of an article that is in none", "story=pq3kxeayizjmllbrac6o", ""),
    ("no story", "story=-*", "Atlas Birds Comet Dunes Ember"),
    ("a collection that there is not", "collection=pq3kxeayizjmllbrac6o", ""),
    ("no collection", "collection=-*", "Atlas Birds Comet Dunes Ember"),
    ("one of each story", "collapse=story", "Atlas Birds Comet Dunes Ember"),
    # Moments: from is inclusive, before is not, and what has no date never matches
    ("from a day on", "publishedFrom=2020-06-11", "Atlas Birds Comet Ember"),
    ("from a second on", "publishedFrom=2020-06-11T00:07:00Z", "Birds Comet Ember"),
    ("from a second later on", "publishedFrom=2020-06-11T00:07:01Z", "Comet Ember"),
    ("before a day", "publishedBefore=2020-06-12", "Atlas Birds"),
    ("before a second", "publishedBefore=2020-06-11T00:07:00Z", "Atlas"),
    ("a day", "publishedFrom=2020-06-11 & publishedBefore=2020-06-12", "Atlas Birds"),
    ("a moment in another zone", "publishedFrom=2020-06-11T02:07:00+02:00", "Birds Comet Ember"),
    ("none between a moment and itself", "publishedFrom=2020-06-11 & publishedBefore=2020-06-11", ""),
    ("the last week", "publishedFrom=P7D", "Comet"),
    ("longer ago than a week", "publishedBefore=P1W", "Atlas Birds Ember"),
    ("the last hour", "publishedFrom=PT1H", ""),
    ("updated from a day on", "updatedFrom=2020-06-20", "Atlas Comet"),
    ("updated before a day", "updatedBefore=2020-06-21", "Atlas"),
    ("added before a second", "addedBefore=2020-06-21T12:00:01Z", "Atlas"),
    ("added from a second on", "addedFrom=2020-06-21T12:00:01Z", "Birds Comet Dunes Ember"),
    # Numbers: both bounds are inclusive, and what is unknown never matches
    ("at least", "minQuality=5", "Atlas Birds"),
    ("at most", "maxQuality=5", "Birds Comet Ember"),
    ("exactly", "minQuality=5 & maxQuality=5", "Birds"),
    ("nought is a number", "minQuality=0 & maxQuality=0", "Comet"),
    ("numbers may be below nought", "maxQuality=-1", "Ember"),
    ("bounds the wrong way round", "minQuality=6 & maxQuality=5", ""),
    ("the least of all numbers", "minQuality=-2147483648", "Atlas Birds Comet Ember"),
    ("heat", "minHeat=1", "Atlas Birds"),
    ("heat and quality", "maxHeat=1 & minQuality=6", "Atlas"),
    # Images and related links of an article's own
    ("with an image", "hasImage=true", "Atlas Ember"),
    ("without an image", "hasImage=false", "Birds Comet Dunes"),
    ("with related links", "hasRelated=true", "Atlas Comet"),
    ("without related links", "hasRelated=false", "Birds Dunes Ember"),
    # URLs, however they are disguised
    ("a URL as it is written", "url=https://www.nasa.gov/atlas?utm_source=mail", "Atlas"),
    ("a URL in another form", "url=http://nasa.gov:80/./atlas/?fbclid=x#top", "Atlas"),
    ("another page of the same host", "url=https://nasa.gov/other", ""),
    ("parameters in another order", "url=https://ember.example/?b=2&a=1", "Ember"),
    ("parameters that mean another page", "url=https://ember.example/?b=2", ""),
    ("any of an article's URLs", "url=https://amp.example/birds", "Birds"),
    ("not the URLs of its related links", "url=https://nasa.gov/atlas & hasImage=false", ""),
    # Articles that are not published
    ("published is the default", "published=true", "Atlas Birds Comet Dunes Ember"),
    ("not published", "published=false", "Frost"),
    ("published or not", "published=any", "Atlas Birds Comet Dunes Ember Frost"),
    ("a topic for editors", "published=any & topic=AI", "Atlas Frost"),
    ("a topic that only editors see", "published=any & topic=Winter", "Frost"),
    ("none of it for editors", "published=any & topic=-AI", "Birds Comet Dunes Ember"),
    # Words
    ("words of a title", "q=atlas", "Atlas"),
    ("words and a clause", "q=birds & topic=AI", ""),
    ("blank words ask nothing", "q= ", "Atlas Birds Comet Dunes Ember"),
]

REFUSED = [
    ("an empty clause", "topic=", "must not have an empty value"),
    ("an empty value", "topic=a,,b", "must not have an empty value"),
    ("a minus alone", "topic=-", "must not have an empty value"),
    ("a quote that is open", 'topic="AI', "a quotation mark that is not closed"),
    ("too many values", "topic=" + ",".join(map(str, range(51))), "must not have more than 50 values"),
    ("a day that is none", "publishedFrom=2021-02-30", "must be a moment that exists"),
    ("a day in words", "publishedFrom=yesterday", "must be a date"),
    ("a duration that begins before the year 1", "publishedFrom=P9999Y", "must be a moment that exists"),
    ("a number with a fraction", "minQuality=5.5", "must be a whole number"),
    ("a number of more than 32 bits", "maxHeat=2147483648", "must be a whole number"),
    ("neither true nor false", "hasImage=perhaps", "must be true or false"),
    ("an empty URL", "url=", "must"),
    ("a filter twice", "minQuality=1 & minQuality=2", "given twice"),
    ("a name that is near one", "topics=AI", "did you mean topic?"),
]


@pytest.fixture(scope="module")
def client(shared_world: World) -> Iterator[TestClient]:
    for title, document in CAST.items():
        # The keys of a document stand indented in the table above.
        shared_world.write(
            f"{title}.md", f"title: {title}\n" + "\n".join(map(str.strip, document.splitlines()))
        )
    for name, document in TAXONOMY.items():
        shared_world.write(f"{name}.md", document)
    assert shared_world.import_().rejected == 0
    with service_of(shared_world) as client:
        yield client


@pytest.mark.parametrize(("query", "titles"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_a_query_means_these_articles(client: TestClient, query: str, titles: str) -> None:
    page = client.get(f"/articles?{encoded(query)}&sort=title", headers=EDITOR).json()
    assert [item["title"] for item in page["items"]] == titles.split()
    assert page["total"] == len(titles.split())


@pytest.mark.parametrize(
    ("query", "advice"), [rule[1:] for rule in REFUSED], ids=[rule[0] for rule in REFUSED]
)
def test_a_query_that_means_nothing_is_refused_with_advice(
    client: TestClient, query: str, advice: str
) -> None:
    refused = client.get(f"/articles?{encoded(query)}")
    assert (refused.status_code, advice in refused.json()["detail"]) == (422, True), refused.text


def test_what_is_not_published_is_for_editors(client: TestClient) -> None:
    for published in ("false", "any"):
        assert client.get(f"/articles?published={published}").status_code == 401


def test_no_parameter_is_forgotten_here(client: TestClient) -> None:
    parameters = client.get("/openapi.json").json()["paths"]["/articles"]["get"]["parameters"]
    of_a_page = {"sort", "limit", "cursor", "page", "fields", "highlight"}
    in_rules = {part.split("=")[0] for _, query, _ in RULES for part in query.split(" & ") if part}
    assert in_rules == {parameter["name"] for parameter in parameters} - of_a_page
