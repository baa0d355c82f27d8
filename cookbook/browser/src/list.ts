import { api, answer, cursor, nameOf, type Issue } from "./api";
import { attempt, find } from "./dom";
import { edit } from "./editor";

const filter = find("#filter", HTMLFormElement);
const errors = find("#list-error", HTMLElement);
const status = find("#status", HTMLElement);
const rows = find("#issues", HTMLTableSectionElement);
const pages = { next: find("#next", HTMLAnchorElement), prev: find("#previous", HTMLAnchorElement) };
let total: string | null = null; // from the first page, because a count costs a read of the whole list
let latest = 0;

// visit shows the list of a URL. The URL holds what the list depends on, so that it can be kept, shared and gone back to.
export function visit(url: string): Promise<void> {
  history.pushState(null, "", url);
  return show();
}

// show shows the list of the current URL. An answer is left out if the person has asked for another list meanwhile.
export function show(news = ""): Promise<void> {
  const turn = ++latest;
  return attempt(errors, async () => {
    const asked = new URLSearchParams(location.search);
    for (const control of filter.querySelectorAll<HTMLInputElement | HTMLSelectElement>("[name]")) {
      if (control instanceof HTMLInputElement && control.type === "checkbox") control.checked = asked.has(control.name);
      else control.value = asked.get(control.name) ?? (control.name === "sort" ? "-created" : "");
    }
    const list = (name: string): string[] | undefined => (asked.get(name) ? asked.getAll(name) : undefined);
    const first = !asked.has("after") && !asked.has("before");
    const result = await api.GET("/issue", {
      params: {
        query: {
          search: asked.get("search") || undefined,
          state: list("state"),
          project: list("project")?.map(Number),
          filter: asked.has("overdue") ? JSON.stringify({ due: { lt: today() }, state: { ne: "closed" } }) : undefined,
          sort: list("sort") ?? ["-created"],
          after: asked.get("after") ?? undefined,
          before: asked.get("before") ?? undefined,
          count: first || total === null ? true : undefined,
          limit: 10,
          fields: ["id", "project", "number", "title", "state", "priority", "due", "assignee"],
        },
      },
    });
    if (turn !== latest) return;
    const issues = answer(result);
    total = result.response.headers.get("X-Total-Count") ?? total;
    rows.replaceChildren(...issues.map(row));
    status.textContent = `${news} ${total} ${total === "1" ? "issue" : "issues"}`;
    turnTo("next", cursor(result.response, "next", "after"), "after");
    turnTo("prev", cursor(result.response, "prev", "before"), "before");
  });
}

function row(issue: Issue): HTMLTableRowElement {
  const tr = document.createElement("tr");
  const title = document.createElement("button");
  title.type = "button";
  title.id = `issue-${issue.id}`;
  title.textContent = issue.title ?? "";
  title.onclick = () => attempt(errors, () => edit(issue.id));
  for (const content of [nameOf(issue), title, issue.state, issue.priority, issue.due, issue.assignee]) {
    tr.insertCell().append(content ?? "");
  }
  return tr;
}

// turnTo makes the anchor of the next or the previous page lead to a cursor, or hides the anchor.
function turnTo(rel: "next" | "prev", to: string | undefined, argument: "after" | "before"): void {
  const query = new URLSearchParams(location.search);
  query.delete("after");
  query.delete("before");
  if (to) query.set(argument, to);
  pages[rel].hidden = !to;
  pages[rel].href = `?${query}`;
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

// start connects the form and the anchors of the list.
export function start(): void {
  filter.onsubmit = (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(filter)) if (value) query.append(name, String(value));
    void visit(`?${query}`);
  };
  for (const a of Object.values(pages)) {
    a.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab or window
      event.preventDefault();
      void visit(a.href).then(() => status.focus());
    };
  }
  addEventListener("popstate", () => void show());
}
