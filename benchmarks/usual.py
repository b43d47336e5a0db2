"""The usual service, written in good faith: ORM objects and a response model over tables of its own.

`make_tables` fills them beside the catalogue's, which keep nothing that an answer does not need.
"""

import json
import os
from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from sqlalchemy import ForeignKey, and_, create_engine, func, insert, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

from app.database.engines import READ_CONNECTIONS

URL: Final = "BENCH_DATABASE_URL"
COMMAND = [
    *("uvicorn", "benchmarks.usual:create_app", "--factory", "--port", "{port}"),
    *("--no-access-log", "--log-level", "warning"),
]


class Base(DeclarativeBase):
    pass


class ArticleTerm(Base):
    __tablename__ = "usual_article_terms"
    term_id: Mapped[int] = mapped_column(ForeignKey("terms.id"), primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("usual_articles.id"), primary_key=True, index=True)


class Term(Base):
    __tablename__ = "terms"
    id: Mapped[int] = mapped_column(primary_key=True)
    field: Mapped[str]
    key: Mapped[str]
    public_name: Mapped[str]


class Image(Base):
    __tablename__ = "usual_images"
    article_id: Mapped[int] = mapped_column(ForeignKey("usual_articles.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str]
    width: Mapped[int | None]
    height: Mapped[int | None]
    title: Mapped[str | None]
    attribution: Mapped[str | None]
    is_cached: Mapped[int | None]


def _terms(field: str) -> Any:
    of_field = and_(ArticleTerm.term_id == Term.id, Term.field == field)
    return relationship(
        secondary="usual_article_terms", secondaryjoin=of_field, lazy="selectin", viewonly=True
    )


class Article(Base):
    __tablename__ = "usual_articles"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str]
    source: Mapped[str]
    path: Mapped[str]
    title: Mapped[str]
    excerpt: Mapped[str | None]
    type: Mapped[str | None]
    category: Mapped[str | None]
    locale: Mapped[str | None]
    published: Mapped[int]
    quality: Mapped[int | None]
    heat: Mapped[int | None]
    published_date_time: Mapped[str | None]
    updated_date_time: Mapped[str | None]
    web_url: Mapped[str | None]
    original_url: Mapped[str | None]
    amp_web_url: Mapped[str | None]
    cdn_amp_web_url: Mapped[str | None]
    provider_name: Mapped[str | None]
    provider_domain: Mapped[str | None]
    related_count: Mapped[int]
    images: Mapped[list[Image]] = relationship(order_by=Image.position, lazy="selectin")
    topics: Mapped[list[Term]] = _terms("topic")
    tags: Mapped[list[Term]] = _terms("tag")

    @property
    def provider(self) -> dict[str, str | None]:
        return {"name": self.provider_name, "domain": self.provider_domain}


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True, alias_generator=to_camel, populate_by_name=True)


class ImageOut(Shape):
    url: str
    width: int | None
    height: int | None
    title: str | None
    attribution: str | None
    is_cached: bool | None


class ProviderOut(Shape):
    name: str | None
    domain: str | None


class TermOut(Shape):
    key: str
    public_name: str


class ArticleOut(Shape):
    public_id: str
    source: str
    path: str
    title: str
    excerpt: str | None
    type: str | None
    category: str | None
    locale: str | None
    published: bool
    quality: int | None
    heat: int | None
    published_date_time: str | None
    updated_date_time: str | None
    web_url: str | None
    original_url: str | None
    amp_web_url: str | None
    cdn_amp_web_url: str | None
    provider: ProviderOut
    topics: list[TermOut]
    tags: list[TermOut]
    images: list[ImageOut]
    related_count: int


class PageOut(Shape):
    items: list[ArticleOut]
    total: int


def make_tables(url: str) -> None:
    """From a catalogue's items, once."""
    engine = create_engine(url)
    own: list[Any] = [kind.__table__ for kind in (Article, ArticleTerm, Image)]
    with engine.begin() as connection:
        Base.metadata.drop_all(connection, own)
        Base.metadata.create_all(connection, own)
        last = 0
        while rows := connection.execute(
            text("SELECT id, item FROM articles WHERE id > :last ORDER BY id LIMIT 1000"), {"last": last}
        ).all():
            last = rows[-1].id
            items = {row.id: json.loads(row.item) for row in rows}
            connection.execute(insert(Article), [_article(id_, item) for id_, item in items.items()])
            if images := [row for id_, item in items.items() for row in _images(id_, item)]:
                connection.execute(insert(Image), images)
        connection.execute(
            text(
                "INSERT INTO usual_article_terms (term_id, article_id) "
                "SELECT DISTINCT term_id, article_id FROM article_terms"
            )
        )
    engine.dispose()


def _article(id_: int, item: dict[str, Any]) -> dict[str, Any]:
    named = {to_camel(column): column for column in Article.__table__.columns.keys()}  # noqa: SIM118  no dict
    provider = {f"provider_{key}": item["provider"][key] for key in ("name", "domain")}
    values = {column: item[key] for key, column in named.items() if key in item}
    return {**values, **provider, "id": id_, "public_id": item["id"], "published": int(item["published"])}


def _images(id_: int, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for place, image in enumerate(item["images"]):
        cached = None if image["isCached"] is None else int(image["isCached"])
        values = {key: image[key] for key in ("url", "width", "height", "title", "attribution")}
        yield {**values, "article_id": id_, "position": place, "is_cached": cached}


def create_app() -> FastAPI:
    app = FastAPI()
    sessions = sessionmaker(create_engine(os.environ[URL], pool_size=READ_CONNECTIONS))

    def session() -> Iterator[Session]:
        with sessions() as opened:
            yield opened

    @app.get("/articles", response_model=PageOut)
    def list_articles(
        opened: Annotated[Session, Depends(session)],
        topic: str,
        limit: Annotated[int, Query(ge=1, le=200)] = 20,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> dict[str, object]:
        is_wanted = (Term.key == topic, Article.published == 1)
        matching = select(Article).join(Article.topics).where(*is_wanted)
        total = opened.scalar(select(func.count()).select_from(matching.subquery()))
        newest = matching.order_by(Article.published_date_time.desc(), Article.path, Article.source)
        return {"items": opened.scalars(newest.limit(limit).offset(offset)).all(), "total": total}

    return app
