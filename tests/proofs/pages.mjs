// What a browser finds in pages for people. Its argument is JSON: url, addresses, hostile, token.
// It prints {numbers, faults} as JSON.
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const { url, addresses, hostile, token } = JSON.parse(process.argv[2]);
const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const OWN = /^\/view\/static\/[a-z]+\.[0-9a-f]{8}\.(css|svg)$/;
// Narrow is 1,280 px zoomed to 400 %.
const VIEWS = [
  { width: 320, height: 640, colorScheme: "light" },
  { width: 1280, height: 900, colorScheme: "dark" },
  { width: 1280, height: 900, colorScheme: "light" },
  { width: 768, height: 1024, colorScheme: "dark" },
];
const numbers = {};
const faults = [];
const count = (what, by = 1) => { numbers[what] = (numbers[what] ?? 0) + by; };
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

async function open(view, { images = true } = {}) {
  // axe comes in past the policy; the policy itself is proven without it, below.
  const context = await browser.newContext({
    viewport: { width: view.width, height: view.height }, colorScheme: view.colorScheme,
    bypassCSP: !view.keepPolicy, serviceWorkers: "block",
  });
  const page = await context.newPage();
  page.asked = [];
  await page.route(() => true, async (route) => {
    const request = route.request();
    page.asked.push([request.resourceType(), request.url()]);
    if (request.url().startsWith(url)) return route.continue();
    if (!images) return route.abort();
    // A picture that comes late, and has other proportions than anyone thought.
    await pause(150);
    const size = request.url().length % 2 ? 'width="200" height="900"' : 'width="900" height="200"';
    const body = `<svg xmlns="http://www.w3.org/2000/svg" ${size}><rect width="900" height="900" fill="#888"/></svg>`;
    return route.fulfill({ contentType: "image/svg+xml", body }).catch(() => {});
  });
  page.on("dialog", (dialog) => { faults.push(`${page.url()}: a dialog`); dialog.dismiss(); });
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error}`));
  return page;
}

async function goTo(page, address) {
  page.asked = [];
  await page.goto(url + address, { waitUntil: "load" });
  for (const [kind, asked] of page.asked) {
    if (!asked.startsWith(url)) {
      if (kind !== "image") faults.push(`${address}: asked ${asked} as ${kind}`);
    } else if (kind !== "document" && !OWN.test(new URL(asked).pathname)) {
      faults.push(`${address}: asked for ${asked}`);
    }
  }
  count("requests", page.asked.length);
}

// No fault of WCAG 2.2 AA, and nothing wider than the window. An editor sees more than others.
const EDITORS = ["/?published=any", "/?published=false", "/view/sign-in"];
for (const view of hostile ? VIEWS.slice(0, 1) : [...VIEWS, { ...VIEWS[0], isEditor: true }]) {
  const page = await open(view);
  if (view.isEditor) await page.context().request.post(url + "/view/sign-in", { form: { token } });
  for (const address of view.isEditor ? EDITORS : addresses) {
    await goTo(page, address);
    count("pages");
    for (const details of await page.$$("details")) await details.evaluate((element) => { element.open = true; });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wider > 0) faults.push(`${address} at ${view.width}: ${wider} px wider than the window`);
    await page.addScriptTag({ path: axe });
    const found = await page.evaluate((tags) => axe.run(document, { runOnly: tags }), WCAG);
    count("rules", found.passes.length);
    for (const violation of found.violations) {
      // A curator's text is in whatever language and form it is in.
      const nodes = hostile ? violation.nodes.filter((node) => !/lang=/.test(node.html)) : violation.nodes;
      for (const node of nodes.slice(0, 3)) {
        faults.push(`${address} at ${view.width} ${view.colorScheme}: ${violation.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`);
      }
    }
  }
  await page.context().close();
}

// Nothing runs, by the policy as it is served.
{
  const page = await open({ ...VIEWS[2], keepPolicy: true });
  for (const address of addresses) {
    await goTo(page, address);
    if (await page.evaluate(() => window.ran !== undefined)) faults.push(`${address}: something ran`);
    if (!page.url().startsWith(url)) faults.push(`${address}: led to ${page.url()}`);
  }
  await page.context().close();
}

// Nothing shifts while pictures come or stay away.
for (const images of [true, false]) {
  for (const view of [VIEWS[0], VIEWS[2]]) {
    const page = await open({ ...view, keepPolicy: true }, { images });
    await page.addInitScript(() => {
      window.shift = 0;
      new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value; })
        .observe({ type: "layout-shift", buffered: true });
    });
    for (const address of addresses) {
      await goTo(page, address);
      const height = await page.evaluate(() => document.body.scrollHeight);
      for (let y = 0; y < Math.min(height, 6000); y += 600) {
        await page.evaluate((top) => scrollTo(0, top), y);
        await pause(30);
      }
      await pause(200);
      const shift = await page.evaluate(() => window.shift);
      // A line of text that moves by one pixel shifts a page by more; rounding while it scrolls, by 0.00001.
      if (shift > 0.0001) faults.push(`${address} at ${view.width}, pictures ${images ? "late" : "off"}: shifts by ${shift}`);
      count("layouts");
    }
    await page.context().close();
  }
}

// Everything can be reached and used by keyboard.
if (!hostile) {
  const page = await open({ ...VIEWS[2], keepPolicy: true });
  for (const address of addresses) {
    await goTo(page, address);
    const reachable = await page.evaluate(() => [...document.querySelectorAll(
      "a[href], button, input:not([type=hidden]), summary, [tabindex='0']")].filter((element) => element.checkVisibility()).length);
    const seen = await page.evaluate(() => { window.seen = new Set(); });
    for (let step = 0; step < reachable + 3; step++) {
      await page.keyboard.press("Tab");
      const unseen = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === document.body) return null;
        window.seen.add(element);
        const style = getComputedStyle(element);
        const inner = element.querySelector(".hit") ? getComputedStyle(element.querySelector(".hit")) : style;
        const shown = style.outlineStyle !== "none" || inner.stroke !== "none" || inner.outlineStyle !== "none";
        return shown ? null : element.outerHTML.slice(0, 100);
      });
      if (unseen) faults.push(`${address}: one cannot see that this has the focus: ${unseen}`);
    }
    const reached = await page.evaluate(() => window.seen.size);
    if (reached < reachable) faults.push(`${address}: ${reached} of ${reachable} are reached by Tab`);
    count("stops of Tab", reached);
  }
  await goTo(page, "/");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  if (!page.url().endsWith("#content")) faults.push("the first stop does not skip to the content");
  await page.focus("[role=search] [type=search]");
  await page.keyboard.type("open source");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/?q=open+source");
  await page.focus("figure.timeline summary");
  await page.keyboard.press("Enter");
  if (!(await page.isVisible("figure.timeline table"))) faults.push("Enter does not open the table");
  await page.focus("figure.timeline svg a");
  await page.keyboard.press("Enter");
  await page.waitForURL("**publishedFrom=**");
  await page.focus(".facets a");
  await page.keyboard.press("Enter");
  await page.waitForURL("**topic=**");
  await page.focus(".chips a");
  await page.keyboard.press("Enter");
  await page.waitForURL((address) => !address.search.includes("q="));
  await page.focus(".entries h2 a");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/view/articles/**");
  // An editor signs in, sees more, and signs out.
  await goTo(page, "/view/sign-in");
  await page.focus("#token");
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/?published=any");
  if (!(await page.isVisible(".editor"))) faults.push("signed in, and not told so");
  if (!(await page.isVisible("text=Not published"))) faults.push("signed in, and sees no more");
  await page.focus(".editor button");
  await page.keyboard.press("Enter");
  await page.waitForURL(url + "/");
  if (await page.isVisible(".editor")) faults.push("signed out, and still an editor");
  count("ways by keyboard", 7);
  await page.context().close();
}

await browser.close();
process.stdout.write(JSON.stringify({ numbers, faults }));
