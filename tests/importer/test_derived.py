"""What is made of stored articles has a version, and an import makes it anew when the version is another."""

import hashlib
import json

from app.catalog.search_text import search_text
from app.importer.tables.derived import DERIVATION_VERSION
from app.urls import url_key
from tests.support.worlds import World

TEXTS = (
    "The quick brown fox's C++, C# and F# — 3.14 × x_y-z ＦＵＬＬ ﬁne ™ Straße",
    "Łódź, Søren, Đakovo, Diyarbakır, Þór, Ægir, café, naïve, Ελλάδα, τῷ, ещё, мой, é\u0323",
    "आज का दिन बाज़ार தமிழ் বাংলা ไม่มีช่องว่าง ភាសាខ្មែរ မြန်မာ བོད་ཡིག ꦲꦏ꧀ꦱꦫ",
    "夜のバス停 ﾊﾟｽ 人々 ジョン・スミス 한국어 \u1112\u1161\u11ab שָׁלוֹם كِتَـــاب أحمد کی Qurʾān Hawaiʻi",
    "soft\u00adhyphen zero\u200bwidth می\u200cخواهد",
)
CONTENT = (
    "<script>a()</script><style>b{}</style><!-- c > d --><p title='e > f'>g<b>h</b>i&shy;j<br>k</p>"
    "<template>l</template><noscript>m</noscript><ruby>漢<rt>かん</ruby>n < o"
    "<iframe src=p />q &amp; `<script>` r\n```\n<script>\n```\n`List<Item>`"
)
URLS = (
    "HTTP://www.A.org:80/ü/?b=2&a=%7e&utm_source=x&srsltid=y#top",
    "https://a-org.cdn.ampproject.org/c/s/m.a.org/x",
    "https://youtu.be/abcDEF12345?si=x",
    "https://en.m.wikipedia.org/wiki/Otter",
    "https://web.archive.org/web/20200101000000/http://a.org/x",
)


def test_who_changes_what_is_derived_raises_its_version() -> None:
    """Catalogues hold what an older version made. Write the new digest here, and raise DERIVATION_VERSION."""
    made = [
        *map(list, (search_text(text, text, CONTENT) for text in TEXTS)),
        [url_key(url).hex() for url in URLS],
    ]
    digest = hashlib.sha256(json.dumps(made).encode()).hexdigest()[:16]
    assert (DERIVATION_VERSION, digest) == (4, "216ffc485de0c9ee")


def test_what_another_version_made_is_made_anew_once(world: World) -> None:
    world.write("a.md", "title: Mars\nwebUrl: https://a.example/", "Red planet")
    world.write("b.md", "title: Venus\nrelated: [{title: Mars, webUrl: 'https://a.example/?utm_source=b'}]")
    first = world.import_()
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE catalogue SET derivation_version = 0")
        connection.exec_driver_sql("UPDATE article_words SET content = ' pluto '")
        for table in ("word_articles", "article_urls", "link_urls"):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608
        connection.exec_driver_sql("UPDATE links SET target_article_id = NULL")
    world.delete("b.md")

    second, third = world.import_(), world.import_()

    assert (second.missing, second.updated, second.revision) == (1, 0, first.revision + 1)
    assert third.revision == second.revision
    assert world.query("SELECT content FROM article_words ORDER BY article_id") == [(" red planet ",), ("",)]
    assert [word for (word,) in world.query("SELECT word FROM word_articles ORDER BY word")] == [
        "mars",
        "planet",
        "red",
        "venus",
    ]
    assert world.query("SELECT count(*) FROM article_urls") == [(1,)]
    assert world.query("SELECT count(*) FROM links WHERE target_article_id IS NOT NULL") == [(1,)]
    assert world.query(f"SELECT * FROM changes WHERE editor_revision > {first.revision}") == []  # noqa: S608
