import { answer, api, cursor, loadProjects, nameOf, type Issue } from "./api";
import { attempt, find } from "./dom";
import { edit } from "./editor";

const filter = find("#filter", HTMLFormElement);
const errors = find("#list-error", HTMLElement);
const status = find("#status", HTMLElement);
const rows = find("#issues", HTMLTableSectionElement);
const pages = { next: find("#next", HTMLAnchorElement), prev: find("#previous", HTMLAnchorElement) };
let total = ""; // number of issues of the whole list, from its first page: a count costs a read of them all
let counted = ""; // conditions of the list that total is about
let latest = 0;

// visit shows the list of a URL. The URL holds what the list depends on, so that it can be kept, shared and gone back to.
function visit(url: string): Promise<void> {
  history.pushState(null, "", url);
  return show();
}

// show shows the list of the current URL. An answer is left out if the person has asked for another list meanwhile.
export function show(news = ""): Promise<void> {
  const turn = ++latest;
  return attemptHere(async () => {
    await loadProjects();
    const asked = new URLSearchParams(location.search);
    const conditions = withoutCursor(asked);
    filter.reset();
    for (const [name, value] of conditions) {
      const control = filter.elements.namedItem(name);
      if (control instanceof HTMLInputElement && control.type === "checkbox") control.checked = true;
      else if (control instanceof HTMLInputElement || control instanceof HTMLSelectElement) control.value = value;
    }
    const list = (name: string): string[] | undefined => (asked.has(name) ? asked.getAll(name) : undefined);
    const result = await api.GET("/issue", {
      params: {
        query: {
          search: asked.get("search") ?? undefined,
          state: list("state"),
          project: list("project")?.map(Number),
          filter: asked.has("overdue") ? JSON.stringify({ due: { lt: today() }, state: { ne: "closed" } }) : undefined,
          sort: [asked.get("sort") ?? "-created", "-id"],
          after: asked.get("after") ?? undefined,
          before: asked.get("before") ?? undefined,
          count: `${asked}` === `${conditions}` || counted !== `${conditions}` || undefined,
          limit: 10,
          fields: ["id", "project", "number", "title", "state", "priority", "due", "assignee"],
        },
      },
    });
    if (turn !== latest) return;
    rows.replaceChildren(...answer(result).map(row));
    total = result.response.headers.get("X-Total-Count") ?? total;
    counted = `${conditions}`;
    status.textContent = `${news} ${total} ${total === "1" ? "issue" : "issues"}`;
    turnTo("next", cursor(result.response, "next", "after"), "after");
    turnTo("prev", cursor(result.response, "prev", "before"), "before");
  });
}

// attemptHere runs an action, and shows its error above the list.
export function attemptHere(action: () => Promise<void>): Promise<void> {
  return attempt(errors, action);
}

function row(issue: Issue): HTMLTableRowElement {
  const tr = document.createElement("tr");
  const title = document.createElement("button");
  title.type = "button";
  title.id = `issue-${issue.id}`;
  title.textContent = issue.title ?? "";
  title.onclick = () => attemptHere(() => edit(issue.id));
  for (const content of [nameOf(issue), title, issue.state, issue.priority, issue.due, issue.assignee]) {
    tr.insertCell().append(content ?? "");
  }
  return tr;
}

// turnTo makes the anchor of the next or the previous page lead to a cursor, or hides the anchor.
function turnTo(rel: "next" | "prev", to: string | undefined, argument: "after" | "before"): void {
  const query = withoutCursor(new URLSearchParams(location.search));
  if (to) query.set(argument, to);
  pages[rel].hidden = !to;
  pages[rel].href = `?${query}`;
}

function withoutCursor(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter(([name]) => name !== "after" && name !== "before"));
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
