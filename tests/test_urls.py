"""Which URLs are one page, and which are two."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.urls import canonical, is_tracking_parameter
from tests.support.processor import within

ONE_PAGE = {
    "scheme": ["http://a.org/x", "https://a.org/x", "//a.org/x", "HTTPS://a.org/x", "  https://a.org/x\n"],
    "www and m": ["https://a.org/x", "https://www.a.org/x", "https://m.a.org/x", "https://WWW.m.A.org/x"],
    "unicode host": [
        "https://bücher.de/",
        "https://BÜCHER.de/",
        "https://xn--bcher-kva.de/",
        "https://bu\u0308cher.de",
    ],
    "default port": ["http://a.org:80/x", "https://a.org:443/x", "https://a.org:/x", "https://a.org./x"],
    "no path": ["https://a.org", "https://a.org/", "https://a.org?", "https://a.org/#", "https://a.org//"],
    "trailing slash": ["https://a.org/x", "https://a.org/x/", "https://a.org/x//"],
    "slash and query": ["https://a.org/x?p=1", "https://a.org/x/?p=1"],
    "dots": [
        "https://a.org/x/y",
        "https://a.org/./x/z/../y",
        "https://a.org/../x/%2E/y",
        "https://a.org\\x\\y",
    ],
    "fragment": ["https://a.org/x", "https://a.org/x#top", "https://a.org/x#:~:text=a%20b"],
    "escapes": ["https://a.org/~ü", "https://a.org/%7E%C3%BC", "https://a.org/%7e%c3%bc"],
    "stray percent": ["https://a.org/100%", "https://a.org/100%25"],
    "tracking": [
        "https://a.org/x?p=1",
        "https://a.org/x?utm_source=n&p=1",
        "https://a.org/x?p=1&UTM_medium=m&fbclid=2",
    ],
    "tracking of many kinds": [
        "https://a.org/x?p=1",
        "https://a.org/x?srsltid=1&gad_source=1&gad_campaignid=2&_gl=1&_ga=2&p=1&_gac=3",
        "https://a.org/x?p=1&igsh=1&mibextid=2&ysclid=3&epik=4&irclickid=5&rb_clickid=6&__twitter_impression=true",
        "https://a.org/x?mtm_source=1&pk_campaign=2&xtor=3&at_medium=4&s_cid=5&p=1&_branch_match_id=6",
        "https://a.org/x?vero_id=1&oly_enc_id=2&__s=3&__hssc=4&__hstc=5&hsCtaTracking=6&hsa_acc=7&p=1",
    ],
    "only tracking": [
        "https://a.org/x",
        "https://a.org/x?gclid=1",
        "https://a.org/x?utm_source=a&utm_medium=b#c",
    ],
    "order": ["https://a.org/?a=1&b=2", "https://a.org/?b=2&a=1", "https://a.org/?&b=2&&a=1&"],
    "AMP cache": [
        "https://www.a-b.org/x?p=1",
        "https://www-a--b-org.cdn.ampproject.org/c/s/www.a-b.org/x?p=1",
        "https://cdn.ampproject.org/c/www.a-b.org/x/?p=1",
        "https://cdn.ampproject.org/v/s/a-b.org/x?p=1&amp_js_v=0.1&usqp=mq331",
        "https://www.google.com/amp/s/www.a-b.org/x?p=1",
        "https://google.co.uk/amp/s/a-b-org.cdn.ampproject.org/c/s/m.a-b.org/x?p=1",
    ],
    "archived copy": [
        "https://a.org/x?p=1",
        "https://web.archive.org/web/20240501000000/https://a.org/x?p=1",
        "http://web.archive.org/web/20240501000000id_/http://www.a.org:80/x/?p=1",
        "https://web.archive.org/web/2024/a.org/x?p=1",
        "https://web.archive.org/web/20240501/http:/a.org/x?utm_source=b&p=1",
        "https://web.archive.org/web/2024/https://a-org.cdn.ampproject.org/c/s/a.org/x?p=1",
    ],
    "AMP format": [
        "https://a.org/x?p=1",
        "https://a.org/x?p=1&outputType=amp",
        "https://a.org/x?amphtml=1&p=1",
    ],
    "Wikipedia": [
        "https://en.wikipedia.org/wiki/Otter",
        "https://en.m.wikipedia.org/wiki/Otter",
        "https://en.m.wikipedia.org/wiki/Otter?wprov=sfla1#Diet",
    ],
    "Wikimedia": ["https://commons.wikimedia.org/wiki/A", "https://commons.m.wikimedia.org/wiki/A"],
    "video": [
        "https://www.youtube.com/watch?v=abcDEF12345",
        "https://youtu.be/abcDEF12345",
        "https://youtu.be/abcDEF12345?si=x&feature=shared",
        "https://m.youtube.com/watch?app=desktop&v=abcDEF12345&ab_channel=X",
        "https://www.youtube.com/shorts/abcDEF12345/",
        "https://www.youtube-nocookie.com/embed/abcDEF12345?s%69=x",
        "https://www.youtube.com/live/abcDEF12345?feature=share",
        "https://web.archive.org/web/2024/https://youtu.be/abcDEF12345",
    ],
    "video from a second on": [
        "https://www.youtube.com/watch?v=abcDEF12345&t=30",
        "https://youtu.be/abcDEF12345?t=30",
    ],
    "post": [
        "https://x.com/a/status/1",
        "https://twitter.com/a/status/1?s=20&t=abc",
        "https://mobile.twitter.com/a/status/1",
    ],
    "thread": ["https://www.reddit.com/r/a/comments/1/b/", "https://old.reddit.com/r/a/comments/1/b"],
    "DOI": ["https://doi.org/10.1000/182", "http://dx.doi.org/10.1000/182"],
    "shared article": [
        "https://www.nytimes.com/2024/a.html",
        "https://nytimes.com/2024/a.html?smid=tw-share",
    ],
}

TWO_PAGES = {
    "case of the path": ["https://a.org/x", "https://a.org/X"],
    "host": [
        "https://a.org/",
        "https://b.org/",
        "https://en.a.org/",
        "https://mobile.a.org/",
        "https://amp.a.org/",
    ],
    "what www. belongs to": ["https://www.com/", "https://m.com/", "https://com/"],
    "what m. belongs to": ["https://m.co.uk/", "https://www.co.uk/", "https://co.uk/"],
    "ss and ß": ["https://fass.de/", "https://faß.de/"],
    "other port": ["https://a.org/", "https://a.org:8080/"],
    "user": ["https://a.org/", "https://b@a.org/", "https://b:c@a.org/"],
    "AMP path": [
        "https://a.org/x",
        "https://a.org/x/amp",
        "https://a.org/amp/x",
        "https://a.org/x?amp",
        "https://a.org/x?amp=1",
    ],
    "parameters": [
        "https://a.org/x",
        "https://a.org/x?p",
        "https://a.org/x?p=",
        "https://a.org/x?p=1",
        "https://a.org/x?P=1",
    ],
    "order of one name": ["https://a.org/?a=1&a=2", "https://a.org/?a=2&a=1"],
    "what could be content": [
        "https://a.org/",
        "https://a.org/?ref=b",
        "https://a.org/?ocid=b",
        "https://a.org/?cmpid=b",
        "https://a.org/?si=b",
        "https://a.org/?smid=b",
        "https://a.org/?pk_id=b",
        "https://a.org/?s=b",
    ],
    "reserved escapes": ["https://a.org/x/y", "https://a.org/x%2Fy", "https://a.org/x%252Fy"],
    "plus and space": ["https://a.org/?q=a+b", "https://a.org/?q=a%20b"],
    "hash-bang": ["https://a.org/", "https://a.org/#!a", "https://a.org/#!b"],
    "inner slashes": ["https://a.org/x/y", "https://a.org/x//y"],
    "no copy": [
        "https://web.archive.org/web/*/https://a.org/x",
        "https://web.archive.org/web/20240501000000/",
        "https://archive.org/web/20240501000000/https://a.org/x",
        "https://a.org/x",
    ],
    "no mobile host of a known site": [
        "https://en.m.a.org/",
        "https://en.a.org/",
        "https://en.m.wikipedia.org/",
    ],
    "no video": [
        "https://youtu.be/abcDEF12345",
        "https://youtu.be/abcDEF1234",
        "https://www.youtube.com/shorts/abcDEF12346",
        "https://www.youtube.com/watch?v=ABCdef12345",
        "https://a.org/watch?v=abcDEF12345",
        "https://www.youtube.com/watch?v=abcDEF12345&list=x",
    ],
    "sharing elsewhere": [
        "https://x.com/search?q=a&s=b",
        "https://x.com/search?q=a",
        "https://x.com/search?q=a&t=b",
    ],
    "no AMP copy": [
        "https://google.com/amp/a.org/x",
        "https://cdn.ampproject.org/v0/a.org/x",
        "https://a.org/x",
    ],
}

NO_HTTP_URL = [
    "",
    "a",
    "/a/../b",
    "mailto:a@b.org",
    "ftp://A.org/",
    "https:/a.org",
    "https:///a",
    "https://",
    "http://:80/",
]


@pytest.mark.parametrize("rule", ONE_PAGE)
def test_these_urls_are_one_page(rule: str) -> None:
    assert len({canonical(url) for url in ONE_PAGE[rule]}) == 1


@pytest.mark.parametrize("rule", TWO_PAGES)
def test_each_of_these_urls_is_a_page_of_its_own(rule: str) -> None:
    assert len({canonical(url) for url in TWO_PAGES[rule]}) == len(TWO_PAGES[rule])


@pytest.mark.parametrize("text", NO_HTTP_URL)
def test_what_is_no_http_url_is_compared_as_written(text: str) -> None:
    assert canonical(f" {text}\n") == text


def test_a_key_reads_like_a_url() -> None:
    assert canonical("HTTP://www.A.org:80/ü/?b=2&a=%7e&utm_source=x#top") == "https://a.org/%C3%BC?a=~&b=2"


@pytest.mark.parametrize(
    ("name", "is_tracking"),
    [
        ("utm_source", True),
        ("UTM_Medium", True),
        ("fbclid", True),
        ("WT.mc_id", True),
        ("hsCtaTracking", True),
        ("utm", False),
        ("source", False),
        ("q", False),
        ("", False),
    ],
)
def test_the_name_of_a_parameter_says_whether_it_tracks(name: str, *, is_tracking: bool) -> None:
    assert is_tracking_parameter(name) is is_tracking


# Pieces that the rules look for, in orders that no one would write.
PIECES = [
    *(
        "http://",
        "https:",
        "//",
        "/",
        "\\",
        "..",
        ".",
        "www.",
        "m.",
        "com",
        "co.uk",
        "a",
        "B",
        "é",
        "ß",
        "℀",
        "．",
        "。",
    ),
    *(
        "@",
        ":",
        ":80",
        ":443",
        "[::1]",
        "?",
        "&",
        "=",
        "utm_x",
        "fbclid",
        "#",
        "#!",
        "%",
        "%4",
        "%41",
        "%2e",
        "%2F",
        "1",
    ),
    *(
        "cdn.ampproject.org",
        "/c/s/",
        "google.com/amp/s/",
        "x.org",
        " ",
        "\t",
        "\n",
        "\x00",
        "\ud800",
        "xn--",
        "ﷺ",
        "web.archive.org/web/2024/",
        "http:/",
        "youtu.be/abcDEF12345",
        "youtube.com/embed/",
        "?v=",
        "si=",
        "s%69",
        "en.m.wikipedia.org",
        "twitter.com/a/status/",
        "outputType=amp",
        "-",
    ),
]


@given(
    st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join).map("https://".__add__)
)
@example("https://a/%%341")
@example("https://a:80:80./")
@example("https://cdn.ampproject.org/x/../c/s/a.org")
@example("https://a.org/?" + "&" * 9)
@example("https://" + "ﷺ" * 252)
def test_any_text_has_a_key_and_a_key_is_its_own(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


@pytest.mark.parametrize(
    "piece",
    [
        *PIECES,
        "../",
        "/..",
        "a/../",
        "a&",
        "ü",
        "aü",
        "\u0301\u0327",
        "cdn.ampproject.org/c/s/",
        "google.com/amp/s/",
        "web.archive.org/web/2024/a.b/",
        "web.archive.org/web/2024/",
        "si=&",
        "a-",
        "a.",
    ],
)
@pytest.mark.parametrize(
    "beginning",
    [
        "",
        "https://",
        "https://a.org/",
        "https://a.org/?",
        "https://cdn.ampproject.org/c/s/",
        "https://web.archive.org/web/2024/",
        "https://youtube.com/?",
    ],
)
def test_a_hostile_url_takes_no_longer_than_its_length_deserves(beginning: str, piece: str) -> None:
    url = (beginning + piece * 50_000)[:50_000]
    within(1, lambda: canonical(url))  # some 20 ms at most; what is quadratic takes many seconds


def test_a_host_of_more_letters_than_any_has_is_its_own_key() -> None:
    host = ".".join("日本語中文字" for _ in range(6))
    key = canonical(f"https://{host}/a")
    assert "xn--" not in key
    assert canonical(key) == key == canonical(f"http://www.{host}/a/")
    assert canonical("https://日本語.jp/") == canonical("https://xn--wgv71a119e.jp/")
