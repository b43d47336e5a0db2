// What a front end asks of the service, by a client that openapi-typescript made of its OpenAPI document.
//
//     npx openapi-typescript http://127.0.0.1:8000/openapi.json -o clippings.d.ts
//     npx tsc --strict … && node list_articles.mjs http://127.0.0.1:8000
//
// `make prove-api` does so with seeds/. Nothing here is cast: the types are what the document says.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./clippings.d.ts";

type Article = components["schemas"]["ListedArticle"];
type Query = NonNullable<paths["/articles"]["get"]["parameters"]["query"]>;

const client = createClient<paths>({ baseUrl: process.argv[2] });

/** A line of a list, of every key that an item has. */
function line(article: Article): string {
  const { provider, images, authors, topics, topicIds, tags } = article;
  const picture: string = images[0]?.url ?? article.provider.images[0]?.url ?? "no picture";
  const size: number = (images[0]?.width ?? 0) * (images[0]?.height ?? 0);
  const by: string = [...authors, provider.name ?? provider.domain ?? "nobody"].join(", ");
  const links: string[] = topics.map((name, place) => `${name.toUpperCase()} /topics/${topicIds[place]}`);
  const weight: number = (article.quality ?? 0) + (article.heat ?? 0) + article.relatedCount;
  const when = new Date(article.publishedDateTime ?? article.updatedDateTime ?? article.addedDateTime);
  const where: string = article.webUrl ?? article.originalUrl ?? article.ampWebUrl ?? article.cdnAmpWebUrl ?? article.path;
  const kind: string = [article.type, article.category, article.locale, article.source].filter(Boolean).join(" ");
  const state: string = article.published ? "" : "not published";
  return [
    ...[article.id, article.title.trim(), article.excerpt?.slice(0, 80) ?? "", when.toISOString(), by, kind],
    ...[...links, ...tags, picture, images[0]?.title, images[0]?.attribution, images[0]?.isCached, size],
    ...[weight, where, state],
  ].join(" | ");
}

/** All articles of a query, page by page; `next` is a path whose cursor leads on. */
async function* every(query: Query): AsyncGenerator<Article> {
  let cursor: string | undefined;
  do {
    const { data, error } = await client.GET("/articles", {
      params: { query: cursor ? { cursor, limit: query.limit } : query },
    });
    if (!data) throw new Error(error.detail);
    yield* data.items;
    cursor = new URLSearchParams(data.next?.split("?")[1]).get("cursor") ?? undefined;
  } while (cursor);
}

const { data: page } = await client.GET("/articles", { params: { query: { topic: ["AI"], limit: 2 } } });
assert(page && page.total > 2 && page.items.length === 2);
const ids = new Set<string>();
for await (const article of every({ topic: ["AI"], limit: 2 })) {
  assert(line(article).startsWith(article.id));
  assert(article.highlights === undefined);
  ids.add(article.id);
}
assert.equal(ids.size, page.total);

const { data: search } = await client.GET("/articles", {
  params: { query: { q: '"open source" definition', highlight: true } },
});
const marked: string | null | undefined = search?.items[0]?.highlights?.title;
assert(marked?.includes("<mark>Open</mark>") || marked?.includes("<mark>Open Source</mark>"));

const [first] = page.items;
assert(first);
const { data: article } = await client.GET("/articles/{article_id}", {
  params: { path: { article_id: first.id } },
});
assert(article);
const mentioned: string[] = article.related.map(
  (link) => `${link.position} ${link.title} ${link.provider.domain} ${link.images.length} ${link.articleId}`,
);
assert.equal(mentioned.length, article.relatedCount);
assert(article.content.length >= 0 && article.contentHtml.length >= 0 && typeof article.details === "object");

const { data: whole } = await client.GET("/articles", {
  params: { query: { id: [article.id], fields: "id,contentHtml,related" } },
});
assert.equal(whole?.items[0]?.contentHtml, article.contentHtml);
assert.equal(whole?.items[0]?.related?.length, article.related.length);

const { data: counts } = await client.GET("/facets", {
  params: { query: { field: ["topic"], topic: ["AI"], size: 1000 } },
});
for (const value of counts?.facets.topic?.values ?? []) {
  assert(value.count > 0 && value.name && value.url.startsWith("/articles?"));
}
const values: string[] | undefined = counts?.facets.topic?.values.map((value) => value.value);
assert(first.topicIds.every((id) => values?.includes(id)));

const { error } = await client.GET("/articles", { params: { query: { fields: "titel" } } });
assert(error && "errors" in error && error.errors[0]?.parameter === "fields");
