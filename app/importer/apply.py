"""Writes what was decided, within the caller's transaction. The order of writing matters:

0. What an older version made of stored articles is made anew, so that all else finds today's words.
1. What leaves goes first, all of it: a document that takes the place of another takes its id and its path
   too. The index goes before the rows, which say what it has of them; counts of terms go with the rows.
2. Descriptions are written before any article: they decide which names are one topic, and so which term an
   article is filed under.
3. Articles come batch by batch, so that no more than a batch of rows is in memory. Foreign keys are checked
   at once: documents, then articles, then all that refers to an article.
4. Which articles have which term waits until its terms are written, and these until all is counted. Articles
   that stay are filed anew only then, where names were taken from their topics.
5. Links are dropped and lead somewhere else only when all of those who mention them are there, and all that
   they may lead to.
6. Stories come last: they are made of all articles and links. Once they are there, what they leave out of
   folded lists is counted.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from app.catalog.index.keep import IndexChanges, WordLimits
from app.database.rows import chunked
from app.importer.plan import Plan
from app.importer.read import Progress
from app.importer.spool import Spool
from app.importer.tables import articles, derived, documents, taxonomy
from app.importer.tables.article_terms import ArticleTerms, terms_json
from app.importer.tables.changes import ChangeLog
from app.importer.tables.collections import CollectionChanges
from app.importer.tables.links import LinkChanges
from app.importer.tables.stories import StoryChanges
from app.importer.tables.terms import Terms


def apply_plans(
    connection: Connection,
    plans: Sequence[Plan],
    spool: Spool,
    now: str,
    word_limits: WordLimits,
    max_waiting_rows: int,
    progress: Progress = lambda done: None,
) -> int:
    """Returns the catalogue's revision, which is a new one if any answer changed."""
    documents.refresh(connection, [document for plan in plans for document in plan.same_meaning])
    to_remove = [document_id for plan in plans for document_id in plan.to_remove]
    leaving = [*spool.replaced_ids, *to_remove]
    added_times = articles.added_times(connection, spool.replaced_ids)
    searches_differ = derived.renew(connection, word_limits, progress)
    story_changes = StoryChanges(connection, keys_differ=searches_differ)
    collections = CollectionChanges(is_anew=not story_changes.is_of_today)
    log = ChangeLog(connection, searches_differ=searches_differ)
    if not leaving and not spool and story_changes.is_of_today:
        return log.write(connection, now)
    log.remove(connection, to_remove)
    log.replace(connection, spool.replaced_ids)
    log.add(connection, spool.descriptions)
    index = IndexChanges(connection, word_limits)
    index.remove(leaving)
    terms = Terms(connection)
    article_terms = ArticleTerms(terms, index, log, max_waiting_rows)
    links = LinkChanges(connection)
    removed = 0
    for ids in chunked(leaving):
        progress(f"{removed:,} of {len(leaving):,} articles taken out")
        removed += len(ids)
        links.remove(connection, ids)
        story_changes.remove(connection, ids)
        collections.remove(connection, ids)
        article_terms.remove(connection, ids)
        documents.remove(connection, ids)

    documents.add(connection, spool.descriptions)
    described = taxonomy.describe(connection, terms, spool.topic_names)
    to_refile = article_terms.articles_under(connection, described.topics_that_lost_names)
    written = 0
    for batch in spool.batches():
        progress(f"{written:,} of {spool.article_count:,} articles written")
        written += len(batch.documents)
        new = articles.with_added_times(batch.articles(), added_times, now)
        filed = article_terms.add(connection, described.topics, new)
        documents.add(connection, batch.documents)
        articles.add(connection, filed)
        index.add([articles.indexed(article) for article in filed])
        links.add(connection, new, batch.links)
        collections.add(connection, new)
        story_changes.add([article.article_id for article in new])
        log.add(
            connection, batch.documents, {each.article.article_id: terms_json(each.terms) for each in filed}
        )

    progress(f"{written:,} articles written; now the index")
    article_terms.refile(connection, described.topics, to_refile)
    article_terms.write(connection)
    index.write()
    taxonomy.write(connection, terms, described)
    links.write(connection)
    collections.write(connection)
    regrouped = story_changes.write(connection, log)
    index.count_repeats(regrouped)
    return log.write(connection, now)
