"""What every page for people has around its own content. Pure."""

from dataclasses import dataclass, field

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Site:
    """`url` is where the service is, "https://example.org/news", and only "/news" where nobody said that."""

    name: str
    description: str | None
    url: str
    prefix: str
    shows_images: bool
    can_sign_in: bool
    is_signed_in: bool
    sees_unpublished: bool


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The request of the API that a page shows the answer to, and the same query in other forms.

    `feeds` and `files` are pairs of name and address.
    """

    json: str
    curl: str
    feeds: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    needs_token: bool = False


@dataclass(frozen=True, slots=True)
class PageFrame:
    """`canonical` is a path; `hidden` are the parameters that a search within this query keeps."""

    site: Site
    title: str
    canonical: str
    request: PageRequest | None
    description: str | None = None
    image: str | None = None
    kind: str = "website"
    prev: str | None = None
    next: str | None = None
    structured: Markup | None = None
    search: str = ""
    hidden: tuple[tuple[str, str], ...] = field(default=())
    is_indexed: bool = True
