"""What the documents that describe topics and organizations say."""

from dataclasses import dataclass

from app.documents.article import Image, Key, YamlValue, read_images
from app.documents.fields import FieldReader
from app.documents.problems import Findings, WrongValue

KEYS_OF_TOPIC = {
    "_id": Key("text", "Its id in URLs; without it, one is made from its name"),
    "name": Key("text", "What it is called"),
    "shortname": Key("text", "A shorter name, by which articles may name it too"),
    "parent": Key("text", "The topic that it is a part of, by any of its names"),
    "keywords": Key("texts", "Words of the subject"),
    "hashtags": Key("texts", "Its hashtags"),
    "images": Key("images", "Its pictures, the first one first"),
}
KEYS_OF_ORGANIZATION = {
    "_id": Key("text", "Kept for the export of documents"),
    "name": Key("text", "What it is called"),
    "domain": Key("text", "Its domain, such as nasa.gov, by which it is known"),
    "otherNames": Key("texts", "Other names by which articles of this domain name it"),
    "images": Key("images", "Its pictures, the first one first"),
    "description": Key("text", "What it is"),
}
TOPIC_KEYS = frozenset(("taxonomy", *KEYS_OF_TOPIC))
ORGANIZATION_KEYS = frozenset(("taxonomy", *KEYS_OF_ORGANIZATION))


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
    extra: dict[str, YamlValue]


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
    extra: dict[str, YamlValue]


def read_topic(
    path: str, tree: dict[str, YamlValue], base_url: str | None, findings: Findings
) -> TopicDocument | None:
    """The topic, or None where `findings` has problems. The tree is used up."""
    fields = FieldReader(tree, (), findings, base_url)
    topic_id, name = fields.name("_id"), fields.name("name")
    images, extra_images = _shared_fields(fields, (topic_id, name), "Give the topic a name, an _id, or both.")
    document = TopicDocument(
        path=path,
        topic_id=topic_id,
        name=name,
        shortname=fields.name("shortname"),
        parent=fields.name("parent"),
        keywords=fields.texts("keywords"),
        hashtags=fields.texts("hashtags"),
        images=images,
        extra=fields.leftovers(TOPIC_KEYS) | extra_images,
    )
    return None if findings.problems else document


def read_organization(
    path: str, tree: dict[str, YamlValue], base_url: str | None, findings: Findings
) -> OrganizationDocument | None:
    """The organization, or None where `findings` has problems. The tree is used up."""
    fields = FieldReader(tree, (), findings, base_url)
    name, domain = fields.name("name"), fields.domain("domain")
    advice = "Give the organization a name, a domain, or both."
    images, extra_images = _shared_fields(fields, (name, domain), advice)
    document = OrganizationDocument(
        path=path,
        organization_id=fields.name("_id"),
        name=name,
        domain=domain,
        other_names=fields.names("otherNames"),
        images=images,
        description=fields.display_text("description"),
        extra=fields.leftovers(ORGANIZATION_KEYS) | extra_images,
    )
    return None if findings.problems else document


def _shared_fields(
    fields: FieldReader, names: tuple[str | None, str | None], advice: str
) -> tuple[tuple[Image, ...], dict[str, YamlValue]]:
    """The images, after a look whether there is any name to file the description under."""
    if names == (None, None):
        fields.findings.problem(("name",), WrongValue("is missing", advice))
    fields.take("taxonomy")
    return read_images(fields)
