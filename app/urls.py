"""When two URLs name one page: the key they are compared by. Knows no article and asks no network."""

import hashlib
import re
import unicodedata
from operator import itemgetter
from urllib.parse import quote

# Tracking parameters say how a reader came, never what is shown. Other parameters are content somewhere and
# stay: `ref` (a branch on GitHub), `ocid` (a contract in open contracting), `cmpid` (a company), `source`,
# `amp`, `si`, `smid`. Names are compared in lower case.
TRACKING_PREFIXES = ("utm_", "mtm_", "gad_", "hsa_", "oly_", "vero_")

_ANALYTICS = "_ga _gac _gl _openstat pk_campaign pk_cid pk_content pk_keyword pk_kwd pk_medium pk_source"
_GOOGLE_ADVERTISEMENTS = "gclid gclsrc dclid gbraid wbraid srsltid"
_OTHER_ADVERTISEMENTS = """
    dicbo ef_id epik fbclid igsh igshid irclickid irgwc li_fat_id mibextid msclkid rb_clickid rdt_cid s_cid
    s_kwcid sccid tblci ttclid twclid yclid ysclid _branch_match_id _branch_referrer
"""
_NEWSLETTERS_AND_CAMPAIGNS = """
    mc_cid mc_eid mc_tc mkt_tok ml_subscriber ml_subscriber_hash nr_email_referer wickedid wt.mc_id xtor
    _bta_c _bta_tid _hsenc _hsfp _hsmi _kx __hsfp __hssc __hstc __s hsctatracking
    at_bbc_team at_campaign at_format at_link_id at_link_origin at_link_type at_medium at_ptr_name
    elq elq_cid elq_mid elqaid elqat elqcampaignid elqtrack elqtrackid trk_contact trk_module trk_msg trk_sid
"""
# Twitter and Yahoo add the page that the reader came from, Wikipedia the button that made the link.
_REFERRERS = """
    fb_action_ids fb_action_types fb_ref fb_source guccounter guce_referrer guce_referrer_sig ref_src soc_src
    soc_trk wprov __twitter_impression
"""
_AMP_VIEWER = "amp_gsa amp_js_v usqp"
TRACKING_PARAMETERS = frozenset(
    f"""
    {_ANALYTICS} {_GOOGLE_ADVERTISEMENTS} {_OTHER_ADVERTISEMENTS} {_NEWSLETTERS_AND_CAMPAIGNS} {_REFERRERS}
    {_AMP_VIEWER}
    """.split()
)

# A name below one of these belongs to somebody: m.co.uk and www.co.uk are two sites.
SHARED_SUFFIX = re.compile(r"(?:ac|co|com|ne|net|or|org)\.[a-z]{2}(?::.*)?")

# No host is longer (RFC 1035). The limit also keeps normalisation, quadratic at worst, within microseconds.
MAX_HOST_LENGTH = 253

MAX_LABEL_LENGTH = 63

# No real host has more letters beyond ASCII. Writing one as punycode takes some 5 µs.
MAX_LETTERS_TO_ENCODE = 32


def is_tracking_parameter(name: str) -> bool:
    """Whether a query parameter of this name never chooses what is shown, as `utm_source` and `fbclid`."""
    name = name.lower()
    return name in TRACKING_PARAMETERS or name.startswith(TRACKING_PREFIXES)


def canonical(url: str) -> str:
    """The key under which URLs are compared: equal keys, one page. Takes any text, and a key is its own key.

    These are the same page:
    - http, https and `//`; hosts in any case, as Unicode or punycode, with `www.` or `m.` before them, with a
      default port or a dot after them;
    - an empty path and `/`, `/a/` and `/a`, `/a/./b/../c` and `/a/c`;
    - `%7E` and `~` (where nothing is reserved), `%c3%bc` and `%C3%BC` and `ü`, a stray `%` and `%25`;
    - parameters in any order (those of one name keep theirs), with tracking parameters among them or not;
    - all fragments and none, but for `#!…`, which names a page;
    - what an AMP cache copied and the copy: …cdn.ampproject.org/c/s/HOST/PATH, google.com/amp/s/HOST/PATH;
      what the Internet Archive kept and its copies: web.archive.org/web/20240501000000/URL;
    - `?outputType=amp`, `?amphtml=1` and the page without;
    - a video of YouTube by any of its URLs (youtu.be, shorts, embed), en.m.wikipedia.org and
      en.wikipedia.org, twitter.com and x.com, old.reddit.com and reddit.com, dx.doi.org and doi.org.

    Everything else keeps pages apart: user names, other ports, the path with its case and its `/amp`, every
    other parameter, `+` and `%20`. A text that is no http URL is compared as written, less the white space
    around it.
    """
    text = (url if url.isprintable() else _LINE_ENDS.sub("", url)).strip()
    parts = _HTTP_URL.match(text)
    if not parts:
        return text
    authority, path, query, fragment = parts.groups()
    user, _, host = authority.rpartition("@")
    if len(host) > MAX_HOST_LENGTH:
        return text
    host = _canonical_host(host)
    if not host:
        return text
    path = _canonical_path(path)
    while copy := _COPY.match(host + path):
        host, path = _canonical_host(copy["host"]), copy["path"] or "/"
    host, path, query = _of_known_site(host, path, _escape(query or ""))
    user = _escape(user) + "@" if user else ""
    query = _canonical_query(query) if query else ""
    fragment = "#" + _escape(fragment) if fragment and fragment.startswith("!") else ""
    return f"https://{user}{host}{path}{query}{fragment}"


# Browsers drop tabs and line ends wherever they stand.
_LINE_ENDS = re.compile(r"[\t\n\r]+")

_HTTP_URL = re.compile(r"(?is)(?:https?:)?[/\\]{2}([^/\\?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?\Z")

# The archive writes `http:/` too, and `id_` or the like after the time, for a page less its own frame.
_COPY = re.compile(
    r"(?:(?:[^/]+\.)?cdn\.ampproject\.org/(?:c|v|wp)/(?:s/)?|google\.[a-z]{2,3}(?:\.[a-z]{2})?/amp/s/"
    r"|web\.archive\.org/web/[0-9]{4,14}(?:[a-z]{2}_)?/(?:(?i:https?):/{1,2})?)"
    r"(?P<host>[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+(?::(?:80|443)(?![0-9]))?)(?P<path>/.*)?\Z"
)


def _canonical_host(host: str) -> str:
    host = (host if host.isascii() else _punycode(host)).lower()
    if host.endswith((".", ":", ":80", ":443")):
        host = _DEFAULT_PORTS.sub("", host)
    while host.startswith(("www.", "m.")):
        parent = host[host.index(".") + 1 :]
        if "." not in parent or SHARED_SUFFIX.fullmatch(parent):
            break
        host = parent
    return host


# http and https are one, and so are their default ports.
_DEFAULT_PORTS = re.compile(r"(?:\.|:(?:80|443)?)+\Z")


def _punycode(host: str) -> str:
    """The host as browsers write it: `ß` stays. Python's "idna" codec makes `ss` of it, another host."""
    folded = unicodedata.normalize("NFKC", host).lower().replace("。", ".")
    # "℀" would become "a/c", and half of the host a path.
    if _NOT_IN_A_HOST.search(folded):
        folded = host.lower()
    if len(folded) > MAX_HOST_LENGTH or sum(letter > "\x7f" for letter in folded) > MAX_LETTERS_TO_ENCODE:
        return _quoted(folded)
    return ".".join(map(_punycode_label, folded.split(".")))


_NOT_IN_A_HOST = re.compile(r"[\s/\\?#@%:\[\]]")


def _punycode_label(label: str) -> str:
    if label.isascii():
        return label
    if len(label) > MAX_LABEL_LENGTH:
        return _quoted(label)
    return "xn--" + label.encode("punycode").decode("ascii")


# Hosts that are one site, less `www.` and `m.`
_SAME_SITES = {
    "twitter.com": "x.com",
    "mobile.twitter.com": "x.com",
    "mobile.x.com": "x.com",
    "old.reddit.com": "reddit.com",
    "new.reddit.com": "reddit.com",
    "np.reddit.com": "reddit.com",
    "dx.doi.org": "doi.org",
    "youtube-nocookie.com": "youtube.com",
}

_WIKIMEDIA = re.compile(
    r"(?P<project>[a-z0-9-]+)\.m\.(?P<domain>(?:wiki(?:pedia|books|news|quote|source|versity|voyage|media)|"
    r"wiktionary)\.org)\Z"
)

# YouTube's ids of videos have eleven characters.
_VIDEO = re.compile(
    r"(?:youtu\.be/|youtube\.com/(?:shorts|embed|live|v)/)(?P<id>[A-Za-z0-9_-]{11})\Z",
)

# These say how a link was shared, on sites where such names are nothing else.
_SHARING = {
    "youtube.com": frozenset(("ab_channel", "app", "feature", "pp", "si")),
    "open.spotify.com": frozenset(("si",)),
    "x.com": frozenset(("s", "t")),
    "nytimes.com": frozenset(("smid",)),
}


def _of_known_site(host: str, path: str, query: str) -> tuple[str, str, str]:
    """The same page's host, path and query, on sites that have several names for it."""
    host = _SAME_SITES.get(host, host)
    if ".m.wik" in host and (wiki := _WIKIMEDIA.match(host)):
        host = f"{wiki['project']}.{wiki['domain']}"
    if host.startswith("youtu") and (video := _VIDEO.match(host + path)):
        host, path, query = "youtube.com", "/watch", f"v={video['id']}&{query}"
    if query and (sharing := _SHARING.get(host)) and (host != "x.com" or "/status/" in path):
        parameters = (
            parameter for parameter in query.split("&") if parameter.partition("=")[0] not in sharing
        )
        query = "&".join(parameters)
    return host, path, query


def _canonical_path(path: str) -> str:
    path = _escape(path.replace("\\", "/"))
    if "/." in path:
        segments: list[str] = []
        for segment in path.split("/")[1:]:
            if segment == "..":
                del segments[-1:]
            elif segment != ".":
                segments.append(segment)
        path = "/" + "/".join(segments)
    return path.rstrip("/") or "/"


def _canonical_query(query: str) -> str:
    by_name = [(parameter.partition("=")[0], parameter) for parameter in query.split("&") if parameter]
    content = [
        (name, parameter)
        for name, parameter in by_name
        if not is_tracking_parameter(name) and parameter not in _AMP_FORMATS
    ]
    content.sort(key=itemgetter(0))
    return "?" + "&".join(parameter for _, parameter in content) if content else ""


# Publishers' own names for the format of a page. `amp` alone is content somewhere.
_AMP_FORMATS = frozenset(("outputType=amp", "amphtml=1"))


def _escape(text: str) -> str:
    """Gives each character one spelling, but for reserved ones: `/` and `%2F` may mean two things."""
    return text if _PLAIN.fullmatch(text) else _ESCAPE_OR_UNSAFE.sub(_escaped, text)


# Nearly every URL is plain, and matching it is three times as fast as a search for characters that are not.
_PLAIN = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]*")

# The pattern matches an escape, a stray %, or a run of characters that must be escaped.
_ESCAPE_OR_UNSAFE = re.compile(r"%[0-9A-Fa-f]{2}|%|[^%A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]+")

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


def _escaped(match: re.Match[str]) -> str:
    text = match.group()
    if text[0] != "%":
        return _quoted(text)
    if len(text) == 1:
        # A stray % must not become part of an escape by what is decoded after it:  %%341 -> %41 -> A
        return "%25"
    character = chr(int(text[1:], 16))
    return character if _UNRESERVED.match(character) else text.upper()


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def url_key(url: str) -> bytes:
    """Sixteen bytes of the canonical URL, which indexes can hold; equal keys, one page."""
    return hashlib.blake2b(canonical(url).encode(errors="surrogatepass"), digest_size=16).digest()
