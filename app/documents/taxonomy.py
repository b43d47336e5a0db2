"""What the documents that describe topics and organizations say."""

from dataclasses import dataclass

from app.documents.article import Image, Tree, read_images
from app.documents.fields import Keys
from app.documents.problems import Findings, Unfit

TOPIC_KEYS = frozenset({"taxonomy", "_id", "name", "shortname", "parent", "keywords", "hashtags", "images"})
ORGANIZATION_KEYS = frozenset({"taxonomy", "_id", "name", "domain", "otherNames", "images", "description"})


@dataclass(frozen=True, slots=True)
class TopicDocument:
    """It has a `topic_id`, a `name`, or both. `parent` is any name of another topic, as written."""

    path: str
    topic_id: str | None
    name: str | None
    shortname: str | None
    parent: str | None
    keywords: tuple[str, ...]
    hashtags: tuple[str, ...]
    images: tuple[Image, ...]
    extra: dict[str, Tree]


@dataclass(frozen=True, slots=True)
class OrganizationDocument:
    """It has a `name`, a `domain`, or both; the domain is lower-cased, less `www.`."""

    path: str
    organization_id: str | None
    name: str | None
    domain: str | None
    other_names: tuple[str, ...]
    images: tuple[Image, ...]
    description: str | None
    extra: dict[str, Tree]


def read_topic(
    path: str, tree: dict[str, Tree], base_url: str | None, findings: Findings
) -> TopicDocument | None:
    keys = Keys(tree, (), findings, base_url)
    topic_id, name = keys.name("_id"), keys.name("name")
    if topic_id is None and name is None:
        findings.problem(("name",), Unfit("is missing", "Give the topic a name, an _id, or both."))
    images, extra_images = read_images(keys)
    keys.take("taxonomy")
    document = TopicDocument(
        path=path,
        topic_id=topic_id,
        name=name,
        shortname=keys.name("shortname"),
        parent=keys.name("parent"),
        keywords=keys.texts("keywords"),
        hashtags=keys.texts("hashtags"),
        images=images,
        extra=keys.rest(TOPIC_KEYS) | extra_images,
    )
    return None if findings.problems else document


def read_organization(
    path: str, tree: dict[str, Tree], base_url: str | None, findings: Findings
) -> OrganizationDocument | None:
    keys = Keys(tree, (), findings, base_url)
    name, domain = keys.name("name"), keys.domain("domain")
    if name is None and domain is None:
        findings.problem(("name",), Unfit("is missing", "Give the organization a name, a domain, or both."))
    images, extra_images = read_images(keys)
    keys.take("taxonomy")
    document = OrganizationDocument(
        path=path,
        organization_id=keys.name("_id"),
        name=name,
        domain=domain,
        other_names=keys.names("otherNames"),
        images=images,
        description=keys.shown_text("description"),
        extra=keys.rest(ORGANIZATION_KEYS) | extra_images,
    )
    return None if findings.problems else document
