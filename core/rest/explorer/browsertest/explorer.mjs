// Usage: node explorer.mjs URL CHROMIUM PICTURES
// Uses the pages of the explorer at URL by the keyboard, and checks every kind of page with axe-core, at two widths and
// in both colour schemes. Pictures of the pages are written to the folder PICTURES. The exit code is 1 after a failure.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [base, executablePath, pictures] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
});
const failures = [];

// open returns a page of a new, empty browser profile. Its errors are failures, but for statuses that the test expects.
async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const expected = new Set(); // statuses of pages that show errors
  page.expect = (status) => expected.add(status);
  page.on("console", (message) => {
    const status = message.text().match(/^Failed to load resource.* status of (\d+)/);
    if (message.text().startsWith("Could not find component: JsonSchema_")) return; // Swagger UI, about formats without an input of their own
    if (["error", "warning"].includes(message.type()) && !expected.has(Number(status?.[1]))) {
      failures.push(`${page.url()}: console: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => failures.push(`${page.url()}: ${error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) failures.push(`${page.url()} requests ${request.url()}`);
  });
  return page;
}

async function visit(page, path, status = 200) {
  page.expect(status);
  const answer = await page.goto(base + path);
  assert.equal(answer.status(), status, path);
}

// focus presses Tab until the focused element has the name: its label, or its text.
async function focus(page, name) {
  const seen = [];
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const e = document.activeElement;
      const visible = e.matches(":focus-visible") && getComputedStyle(e).outlineStyle !== "none" || e.matches(".card a, .skip");
      return { name: (e.getAttribute("aria-label") ?? e.labels?.[0]?.innerText ?? e.innerText ?? "").trim(), visible };
    });
    seen.push(focused.name);
    if (focused.name.startsWith(name)) {
      assert.ok(focused.visible, `the focus on ${name} is invisible`);
      return;
    }
  }
  assert.fail(`Tab does not reach ${name}: ${seen.join(" | ")}`);
}

// press focuses the element with the name, and presses a key that leads to another page.
async function press(page, name, key = "Enter") {
  await focus(page, name);
  await Promise.all([page.waitForEvent("framenavigated"), page.keyboard.press(key)]);
  await page.waitForLoadState();
}

async function heading(page, text) {
  assert.equal((await page.locator("h1").innerText()).trim(), text, page.url());
}

// keyboard signs in, creates, finds, changes and deletes a record without a mouse.
async function keyboard() {
  const page = await open({ viewport: { width: 1280, height: 860 } });
  await visit(page, "/issue", 401);
  await focus(page, "Token");
  await page.keyboard.type("alice-token");
  await Promise.all([page.waitForEvent("framenavigated"), page.keyboard.press("Enter")]);
  await heading(page, "issue");
  assert.ok(!page.url().includes("alice"), "the token is in the URL");
  assert.equal(await page.evaluate(() => document.cookie), "", "a script can read the cookie");

  await focus(page, "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await press(page, "New");
  await heading(page, "New issue");
  page.expect(400);
  await focus(page, "points");
  await page.keyboard.type("1000");
  await press(page, "Create");
  await heading(page, "New issue");
  const errors = await page.locator("[role=alert] a").allInnerTexts();
  assert.deepEqual(errors, ["title: Enter a value.", "points: This is not accepted. Accepted: at most 100."]);
  await focus(page, "title: Enter");
  await page.keyboard.press("Enter"); // the link leads to the input
  await page.keyboard.press("Tab");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.type("Typed by keyboard");
  await focus(page, "points");
  assert.equal(await page.evaluate(() => document.activeElement.value), "1000", "the typed value is lost");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("13");
  await press(page, "Create");
  await heading(page, "Typed by keyboard");
  const id = new URL(page.url()).pathname.split("/").at(-1);

  await press(page, "Edit");
  await focus(page, "state");
  await page.keyboard.type("open");
  await press(page, "Save");
  await heading(page, "Typed by keyboard");
  assert.match(await page.locator("main").innerText(), /open/);

  await press(page, "issue");
  await focus(page, "Search");
  await page.keyboard.type("keyboard");
  await Promise.all([page.waitForEvent("framenavigated"), page.keyboard.press("Enter")]);
  await page.waitForLoadState();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await visit(page, "/issue");
  await focus(page, "Conditions");
  await page.keyboard.press("Space");
  await focus(page, "Field");
  await page.keyboard.type("points");
  await focus(page, "Comparison");
  await page.keyboard.type("is at least");
  await focus(page, "Value");
  await page.keyboard.type("8");
  await press(page, "Apply");
  assert.equal(await page.locator("tbody tr").count(), 2);
  await press(page, "points");
  assert.equal(await page.locator("th[aria-sort=ascending]").innerText(), "points ↑");
  assert.equal(await page.locator("tbody tr").count(), 2);

  await press(page, id);
  await press(page, "Delete");
  await heading(page, `Delete issue ${id}`);
  await press(page, "Delete");
  await heading(page, "issue");
  assert.equal(await page.getByText("Typed by keyboard").count(), 0);
  await press(page, "Sign out");
  assert.equal(await page.locator("nav").count(), 0);
  assert.equal((await page.context().cookies()).length, 0);
  await page.context().close();
}

// kinds are pages of every kind, by the name of their picture.
const kinds = {
  index: ["/"], list: ["/issue"], record: ["/issue/1"], related: ["/project/1/issues"], new: ["/issue/$new"], edit: ["/issue/1/$edit"],
  delete: ["/issue/1/$delete"], empty: ["/project?name=none"], explain: ["/issue/$explain"], missing: ["/issue/99", 404],
  conditions: [`/issue?filter=${encodeURIComponent('{"state": "open", "points": {"ge": 5}}')}&sort=-points`],
  refused: ["/issue?sort=nothing", 400], labels: ["/label"],
};

// look checks pages of every kind at one width and in one colour scheme.
async function look(width, colorScheme) {
  const page = await open({ viewport: { width, height: width > 600 ? 800 : 844 }, colorScheme });
  const check = async (name) => {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const violation of violations) {
      failures.push(`${name} at ${width}, ${colorScheme}: ${violation.id}: ${violation.help}: ${violation.nodes.map((node) => node.html).join(" ")}`);
    }
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) failures.push(`${name} at ${width}: the page is ${overflow} pixels too wide`);
    await page.screenshot({ path: `${pictures}/${name}-${width}-${colorScheme}.png` });
  };
  await visit(page, "/", 401);
  await check("sign-in");
  await page.fill("#token", "wrong");
  await page.click("button[type=submit]");
  await check("sign-in-failed");
  await page.fill("#token", "alice-token");
  await page.click("button[type=submit]");
  for (const [name, [path, status]] of Object.entries(kinds)) {
    await visit(page, path, status);
    await check(name);
  }
  await visit(page, "/issue/$new");
  page.expect(400);
  await page.fill("#field-points", "-1");
  await page.click("button[type=submit].primary");
  await check("rejected");
  await visit(page, "/project/1/$edit");
  await page.evaluate(() => document.querySelector("[name='$tag']").value = "another");
  await page.fill("#field-description", "My own words for it.");
  page.expect(412);
  await page.click("button[type=submit].primary");
  await check("conflict");
  await page.context().close();
}

// unchanged saves forms as they are, which changes no record.
async function unchanged() {
  const page = await open({ viewport: { width: 1280, height: 800 } });
  await visit(page, "/", 401);
  await page.fill("#token", "alice-token");
  await page.click("button[type=submit]");
  const headers = { Authorization: "Bearer alice-token", Accept: "application/json" };
  for (const id of [1, 2, 3, 5, 7]) {
    const before = await (await fetch(`${base}/issue/${id}`, { headers })).text();
    await visit(page, `/issue/${id}/$edit`);
    await page.click("button.primary");
    await page.waitForURL(`${base}/issue/${id}`);
    assert.equal(await (await fetch(`${base}/issue/${id}`, { headers })).text(), before);
  }
  await page.context().close();
}

// documentation sends a request from Swagger UI, which its Content-Security-Policy must permit.
async function documentation() {
  const page = await open({ viewport: { width: 1280, height: 800 } });
  await visit(page, "/", 401);
  await page.fill("#token", "alice-token");
  await page.click("button[type=submit]");
  await page.click("text=API docs");
  await page.click("button.authorize");
  await page.fill(".auth-container input", "alice-token");
  await page.click(".auth-btn-wrapper .authorize");
  await page.click(".auth-btn-wrapper .btn-done");
  await page.locator(".opblock-get .opblock-summary-control").first().click();
  await page.click(".try-out__btn");
  await page.click(".execute");
  await page.waitForSelector(".live-responses-table");
  assert.match(await page.locator(".live-responses-table").innerText(), /\b200\b/);
  await page.screenshot({ path: `${pictures}/documentation.png` });
  await page.context().close();
}

// picture takes the picture of the project's page.
async function picture() {
  const page = await open({ viewport: { width: 1280, height: 720 } });
  await visit(page, "/", 401);
  await page.fill("#token", "alice-token");
  await page.click("button[type=submit]");
  const filter = JSON.stringify({ state: { in: ["open", "working"] } });
  await visit(page, `/issue?filter=${encodeURIComponent(filter)}&sort=title&fields=title,state,priority,project,assignee,labels,points`);
  await page.screenshot({ path: `${pictures}/explorer.png` });
  await page.context().close();
}

try {
  await keyboard();
  await unchanged();
  await documentation();
  await look(1280, "light");
  await look(390, "dark");
  await picture();
} catch (error) {
  failures.push(error.stack);
} finally {
  await browser.close();
}
for (const failure of failures) console.error(failure);
process.exitCode = failures.length > 0 ? 1 : 0;
