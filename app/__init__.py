"""Clippings: curated article metadata, from Markdown documents to a REST service.

The folders are the stations on the data's way:

    documents   files -> validated documents and problems. Knows no database.
    conversion  what other tools export -> documents. Knows no database.
    importer    documents -> database, all or nothing: read, plan (pure), apply.
      tables/     a module for each group of tables that an import writes.
    catalog     what is stored, and every question one may ask of it. Knows no HTTP.
      index/      sets of article ids. A sealed room: `find` answers questions, `keep` takes imports.
    feeds       articles -> RSS, Atom, JSON Feed. Pure.
    exports     articles -> rows of text and sheets, stored documents -> files. Pure.
    pages       articles -> HTML for people: templates and what fills them. Pure.
    web         reads the request, asks the catalog, shapes the answer: a module for each resource.
      people/     the same for pages: a module for each kind of page.
      http/       what every answer shares. A sealed room that knows no resource.
    database    what SQLite and PostgreSQL do differently. Knows no table.

Arrows, and no others: conversion -> documents; importer -> documents, catalog; feeds, exports, pages ->
catalog; web -> catalog, feeds, exports, pages. Every folder may use `database` and the nouns beside the
folders: names and urls (when two are one), database_urls, moments, unicode_forms, printable, yaml_text,
whole_files, errors, interrupts, settings, migrate, logs. The nouns know no other folder. `cli`, `console`,
`converting`, `exporting`, `statistics`, `main`, `purge`, `serving` and `shutdown` put everything together.
A test checks the arrows.

A sealed room may be clever, the way through the house may not. Most changes open neither room; the docstring
of catalog/index/__init__.py tells that room's format, invariants and costs. docs/architecture.md tells the
whole way in prose, and where a new thing goes.

One document through an import (`->` calls the next, `<->` is called again for each key):

    cli -> importer.trees -> documents.tree_settings
        -> importer.run -> database.engines (the lock) -> migrate
        -> importer.read -> documents.files
        -> documents.reading -> front_matter -> repeated_links -> yaml_tree -> article <-> fields <-> scalars
        (toml_tree or json_tree -> plain_values in place of the YAML; body_titles where a title is wanting)
        -> importer.serialise -> urls
        -> importer.plan
        -> importer.apply -> importer.tables -> catalog.index.keep -> database.rows

One `GET /articles?topic=AI` that nothing remembers:

    web.http.connections -> shell -> negotiation -> audience -> cache -> catalog.state
        -> web.http.routes -> query_string -> catalog.query -> clauses
        -> web.articles -> paging -> catalog.cursors
        -> web.view -> database.snapshots
        -> catalog.filters -> catalog.index.conditions -> catalog.terms -> names
        -> catalog.orders -> paging -> database.statements -> web.paging
        -> web.http.response -> compression -> cache

One `GET /?topic=AI`, the page of the same query, goes the same way to the catalog and on to the templates:

    web.people.article_list -> catalog.filters, catalog.facets, catalog.timeline
        -> web.people.list_links -> pages.entries, pages.timeline_picture, pages.structured_data
        -> pages.rendering -> web.people.frames -> web.http.response

Standbys of PostgreSQL, or a cursor that knows its revision, add catalog.databases before the snapshot.
A second clause or a search adds catalog.index.find and walk, a duration catalog.rolling, counts
catalog.facets or catalog.timeline. A remembered answer ends at `cache`.

Words of the house, where the field has none or several:

  document      a file that was read: an article, a topic or an organization.
  source        a tree of documents with a name. Source and path identify an article.
  article       what a document with a title says, and what lists answer. Its stored JSON is its `item`.
  related link  an article that another one mentions. Equal links are stored once.
  story         articles and links of one event, joined by curators' links. Its lead gives it id and title.
  group         articles that a list can fold into one: those of a story, the versions of a page.
  term          a value that articles are filed under: the topic AI, the provider nasa.gov, the type video.
  field         a kind of terms: topic, provider, type and others. catalog/fields.py has all of them.
  name          a spelling of a term ("AI", "Artificial Intelligence"), with counts of its own.
  described     said of a term that a document of its own describes.
  clause        one value of a query's parameter: any of these, none of these, has one, has none.
  condition     what a query asks for, as something that yields a set of article ids.
  set           a Roaring bitmap of article ids, stored in `article_sets` or `word_articles`.
  sort key      a number or text that is never null and ascends, so that a place is one row value.
  place         a point between two rows of a list: the sort keys of a row. A cursor is a place and its query.
  walk          reading an order's index and keeping the articles of a set.
  audience      who asks: the public, or editors, who may also see what is not published.
  revision      a number of the catalogue. An import that changes an answer makes the next one.
  state         the catalogue's identity, revision and its random name. Equal states give equal answers.
  bytes hash    of a file: equal ones are not parsed again.
  meaning hash  of a document: equal ones are not written again.
  view hash     of what answers show of a document: a changed one is a change in `/changes`.
  page          of a list: a part of it; for people: HTML at `/` and below `/view/`.
  frame         what every page for people has around its own content.
  statement     SQL that is compiled once for each kind of question and dialect.
  standby       a copy of the database that PostgreSQL keeps elsewhere. What is written goes to the primary.
  floor         the newest state that a process knows of. It answers with nothing older.
  snapshot      a read-only transaction, in which a request sees one revision.

What was decided, and why:

- All the work happens at import. A list answers with JSON that was made then; a request selects and joins.
- `contentHtml` is the exception: it is made when a single article is asked for, because most articles never
  are, and reading Markdown would take as long as the rest of an import.
- Terms answer most lists. `article_terms` files articles under terms, the newest first, so a list is one
  range of an index. Counts stand with the terms, for the public and for editors; an import moves them by
  what it changed.
- Sets answer everything else: which articles are of a term, of a day, of a quality, unpublished.
  Intersections give totals, facets and timelines that no index range can count.
- Words are sets too, so a search intersects with any other filter, with the same code on both databases.
- Pages for people have no script and no build step: HTML of templates and one style sheet. A cookie counts on
  pages alone, so no answer of the API varies by it.
- Answers are remembered by the catalogue's state, in front of the routes. A new revision makes all of them
  old.
- Statements are compiled once: compiling takes longer than answering.
- Related links are stored once by value, because real trees repeat them forty times.
- `secured`, unknown keys and removed documents live in the table `documents` alone, which no request reads.
- Stored numbers have names that say so (`catalog.index.sets.Has`), and a migration imports nothing of
  `app`.
- What SQLite and PostgreSQL do differently stands in `database`. main decides whether a quick question is
  answered on the event loop (SQLite) or on a thread.
"""
