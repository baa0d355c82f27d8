// Usage: node application.mjs PAGE API CHROMIUM PICTURES
// Uses the page as its users do, and checks it with axe-core at two widths and in both colour schemes. The variable TOKENS has bearer tokens
// for the API: {"ada": ..., "bob": ..., "expired": ...}. Pictures are written to the folder PICTURES. The exit code is 1 after a failure.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [base, api, executablePath, pictures] = process.argv.slice(2);
const tokens = JSON.parse(process.env.TOKENS);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"] });
const failures = [];

// open returns a page of a new browser profile. Its errors are failures, but for answers of the API that the page shows.
async function open() {
  const context = await browser.newContext();
  await context.addInitScript(axe);
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !/^Failed to load resource.*( status of (400|401|404|412)|net::ERR_INTERNET_DISCONNECTED)/.test(message.text())) {
      failures.push(`console: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => failures.push(`${error}`));
  await page.goto(base);
  return page;
}

async function signIn(page, token) {
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
}

// status waits for a text in the live region under the filter.
const status = (page, text) => page.getByRole("status").filter({ hasText: text }).waitFor();
const alert = (page, text) => page.getByRole("alert").filter({ hasText: text }).waitFor();
const titles = (page) => page.locator("tbody button").allInnerTexts();
// named finds a control by its label. By getByLabel alone, the options of a select are a part of the label around it.
const named = (form, label) => form.getByRole("combobox", { name: label, exact: true }).or(form.getByLabel(label, { exact: true }));
const field = (page, label) => named(page.locator("#editor"), label);
const filter = (page, label) => named(page.locator("#filter"), label);
const described = async (page, label) => page.locator(`#${await field(page, label).getAttribute("aria-describedby")}`).innerText();
const save = (page) => page.getByRole("button", { name: "Save" }).click();

// bob changes an issue beside the page.
async function bob(id, change) {
  const answer = await fetch(`${api}/issue/${id}`, {
    method: "PATCH", body: JSON.stringify(change),
    headers: { Authorization: `Bearer ${tokens.bob}`, "Content-Type": "application/json" },
  });
  assert.equal(answer.status, 200, await answer.text());
}

async function stored(id) {
  return (await fetch(`${api}/issue/${id}`, { headers: { Authorization: `Bearer ${tokens.ada}` } })).json();
}

// look checks the page as it is at the moment.
async function look(page, name) {
  for (const [width, colorScheme] of [[390, "dark"], [1280, "light"]]) {
    await page.setViewportSize({ width, height: 844 });
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const v of violations) failures.push(`${name} at ${width}: ${v.id}: ${v.help}: ${v.nodes.map((node) => node.html).join(" ")}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) failures.push(`${name} at ${width}: the page is ${overflow} pixels too wide`);
    await page.screenshot({ path: `${pictures}/${name}-${width}.png` });
  }
}

async function tour() {
  const page = await open();
  // Sign in, at the second attempt.
  await look(page, "sign-in");
  await page.keyboard.press("Escape");
  await alert(page, "You are not signed in");
  await page.getByRole("button", { name: "Show" }).click();
  await signIn(page, "wrong");
  await page.getByText("The token is not accepted").waitFor();
  await signIn(page, tokens.ada);
  await status(page, "23 issues");
  await look(page, "list");

  // Pages, by their links, and back in the history of the browser.
  const seen = [await titles(page)];
  for (const [link, number] of [["Next", 10], ["Next", 3], ["Previous", 10], ["Previous", 10]]) {
    const before = await titles(page);
    await page.getByRole("link", { name: link }).click();
    await page.waitForFunction((first) => document.querySelector("tbody button").textContent !== first, before[0]);
    assert.equal((await titles(page)).length, number);
    assert.match(await page.getByRole("status").innerText(), /23 issues/);
    seen.push(await titles(page));
  }
  assert.equal(new Set(seen.slice(0, 3).flat()).size, 23, "three pages show each issue once");
  assert.deepEqual([seen[3], seen[4]], [seen[1], seen[0]]);
  assert.equal(await page.getByRole("link", { name: "Previous" }).count(), 0);
  await page.goBack();
  await page.waitForFunction((first) => document.querySelector("tbody button").textContent === first, seen[1][0]);

  // Search, filter and order. The URL keeps them.
  await filter(page, "Search").fill("brass GEARS");
  await page.keyboard.press("Enter");
  await status(page, "1 issue");
  await page.goBack();
  await status(page, "23 issues");
  assert.deepEqual(await titles(page), seen[1]);
  await page.goForward();
  await status(page, "1 issue");
  assert.deepEqual(await titles(page), ["Gears slip"]);
  await filter(page, "Search").fill("");
  await filter(page, "State").selectOption("started");
  await filter(page, "Order").selectOption("title");
  await page.getByRole("button", { name: "Show" }).click();
  await status(page, "2 issues");
  assert.deepEqual(await titles(page), ["Bearings run hot", "Cards jam"]);
  await page.reload();
  await status(page, "2 issues");
  assert.equal(await filter(page, "State").inputValue(), "started");
  await filter(page, "State").selectOption("");
  await filter(page, "Project").selectOption("store");
  await filter(page, "Overdue").check();
  await page.getByRole("button", { name: "Show" }).click();
  await status(page, "1 issue");
  assert.deepEqual(await titles(page), ["Columns stick"]);
  await page.goto(base);
  await status(page, "23 issues");

  // A new issue, with values that the service rejects, and a token that expires meanwhile.
  await page.getByRole("button", { name: "New issue" }).click();
  await field(page, "Project").selectOption("mill");
  await field(page, "Text").fill("The lever\nneeds oil.");
  await field(page, "Assignee").fill("zoe");
  await save(page);
  await alert(page, "Look at the marked fields");
  assert.match(await described(page, "Assignee"), /zoe/);
  await field(page, "Assignee").fill("");
  await save(page);
  await page.locator("#note-title").filter({ hasText: "at least 1" }).waitFor();
  assert.match(await described(page, "Title"), /at least 1 character/);
  assert.equal(await page.evaluate(() => document.activeElement.name), "title");
  assert.equal(await described(page, "Assignee"), "");
  await look(page, "rejected");
  await page.evaluate((token) => sessionStorage.setItem("token", token), tokens.expired);
  await field(page, "Title").fill("Lever squeaks");
  await save(page);
  await page.getByText("It may have expired").waitFor();
  await look(page, "expired");
  await page.keyboard.press("Escape");
  await alert(page, "You are not signed in");
  assert.equal(await field(page, "Text").inputValue(), "The lever\nneeds oil.");
  await save(page);
  await signIn(page, tokens.ada);
  await status(page, "Saved mill #");
  const id = Number((await page.evaluate(() => document.activeElement.id)).replace("issue-", ""));
  const created = await stored(id);
  assert.equal(created.text, "The lever\nneeds oil.");
  assert.equal(created.title, "Lever squeaks");

  // An edit after a change by another person: the change is shown, and what is typed stays.
  await page.keyboard.press("Enter"); // on the issue, which has the focus
  await field(page, "Title").fill("Lever is broken");
  await field(page, "Due").fill("2030-01-31");
  await bob(id, { title: "Lever squeaks loudly", priority: "high" });
  await save(page);
  await alert(page, "changed meanwhile");
  assert.match(await described(page, "Title"), /Lever squeaks loudly/);
  assert.match(await described(page, "Priority"), /normal/);
  assert.equal(await field(page, "Title").inputValue(), "Lever is broken");
  assert.equal(await field(page, "Priority").inputValue(), "high");
  await look(page, "conflict");
  await save(page);
  await status(page, "Saved mill #");
  const { title, due, priority, text } = await stored(id);
  assert.deepEqual({ title, due, priority, text }, {
    title: "Lever is broken", due: "2030-01-31", priority: "high", text: "The lever\nneeds oil.",
  });

  // A broken connection, a rule about two fields, and fields that become empty.
  await page.locator(`#issue-${id}`).click();
  await field(page, "State").selectOption("closed");
  await field(page, "Due").fill("");
  await field(page, "Text").fill("");
  await page.context().setOffline(true);
  await save(page);
  await alert(page, "The server cannot be reached");
  await page.context().setOffline(false);
  await save(page);
  await alert(page, "Look at the marked fields");
  assert.match(await described(page, "Resolution"), /a value for closed issues/);
  await field(page, "Resolution").selectOption("done");
  await save(page);
  await status(page, "Saved mill #");
  const closed = await stored(id);
  assert.equal(closed.state, "closed");
  assert.deepEqual([closed.due, closed.text], [undefined, undefined]);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.context().close();
}

try {
  await tour();
} catch (error) {
  failures.push(error.stack);
} finally {
  await browser.close();
}
for (const failure of failures) console.error(failure);
process.exitCode = failures.length > 0 ? 1 : 0;
