"""Clippings: curated article metadata, from Markdown documents to a REST service.

The folders are the stations on the data's way:

    database    what SQLite and PostgreSQL do differently: engines, snapshots, rows. Knows no table.
    documents   files -> validated documents and problems. Knows no database.
    importer    documents -> database, all or nothing: look, plan, apply, report.
    catalog     what is stored, and every question one may ask of it. Knows no HTTP.
    feeds       articles -> RSS, Atom, JSON Feed. Pure.
    exports     articles -> rows of text. Pure generators.
    web         reads the request, asks the catalog, shapes the answer.

Arrows, and no others: importer -> documents, catalog; feeds, exports -> catalog; web -> catalog, feeds,
exports. Everyone may use what stands beside the folders and knows none of them: names and urls (when two are
one), moments, errors, interrupts, database, migrate, settings. `cli`, `console`,
`exporting`, `main` and `serving` put it all together. A test checks the arrows.

One document through an import: cli -> importer.run -> documents.tree -> documents.reading -> importer.plan ->
importer.apply. One `GET /articles?topic=AI`: web.shell -> web.routing -> web.articles -> catalog.filters ->
catalog.paging -> bytes that the import prepared.

What was decided, and why:

- All the work happens at import. A list answers with JSON that was made then; a request selects and joins.
- What an article can be filtered by is a term of a field (topic, provider, type, tag ...). One table files
  articles under terms, the newest first, so that one index range answers a list; counts stand with the terms,
  for the public and for the editors, moved by each import by as much as it changed.
- Which articles are of a term, of a day, unpublished is a Roaring bitmap too (article_sets), kept by imports.
  By cutting them with each other is counted what no index range counts: facets, timelines, totals of clauses.
- So is which articles have a word, in their title, in their excerpt, anywhere (word_articles): a search is
  cut with everything else. Phrases alone are looked for in the words of the articles that have them all.
- An answer is remembered by the catalogue’s revision, in front of the routes (web.memory). What is asked the
  first time is a statement that was made once for its kind (statements): making one takes longer than asking.
- Sort keys are never null and ascend in every order, so that a place in a list is one row value (sort_keys).
- Related links are stored once by value: real trees repeat them forty times.
- `secured`, unknown keys and taken-down documents live in `documents` alone, which no request reads.
- What SQLite and PostgreSQL do differently stands in database, statements and a few lines of catalog;
  whether a quick question is answered on the event loop or a thread is settled in main (is_local).
"""
