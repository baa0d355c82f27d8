import { answer, api, loadProjects, nameOf, problems, type Failure, type Issue } from "./api";
import { attempt, find } from "./dom";

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const dialog = find("#editor", HTMLDialogElement);
const form = find("#editor form", HTMLFormElement);
const heading = find("#editor-heading", HTMLElement);
const errors = find("#editor-error", HTMLElement);
const names = ["title", "text", "state", "resolution", "priority", "due", "assignee"] as const;
type Name = (typeof names)[number];
const fields: ("id" | "project" | "number" | Name)[] = ["id", "project", "number", ...names];

const controls = new Map<string, Control>();
const filled = new Map<string, string>(); // values before the person types
let issue: Issue | undefined; // as it was read; undefined for a new issue
let tag = ""; // the ETag of the issue as it was read
let key = ""; // one for a new issue, so that repeated requests create it once

export async function edit(id: number): Promise<void> {
  open(await read(id));
}

export async function create(): Promise<void> {
  await loadProjects();
  key = crypto.randomUUID();
  open(undefined);
}

async function read(id: number): Promise<Issue> {
  const result = await api.GET("/issue/{id}", { params: { path: { id }, query: { fields } } });
  tag = result.response.headers.get("ETag") ?? "";
  return answer(result);
}

function open(shown: Issue | undefined): void {
  issue = shown;
  form.reset();
  clear();
  heading.textContent = issue ? nameOf(issue) : "New issue";
  for (const p of form.querySelectorAll<HTMLElement>(".editing")) p.hidden = !issue;
  for (const p of form.querySelectorAll<HTMLElement>(".creating")) p.hidden = !!issue;
  names.forEach(fill);
  dialog.showModal();
}

function fill(name: Name): void {
  const control = controls.get(name)!;
  if (issue) control.value = issue[name] ?? "";
  filled.set(name, control.value);
}

// typed returns the value that the person has typed or selected, or undefined if the value is as before.
function typed(name: Name): string | undefined {
  const { value } = controls.get(name)!;
  return value === filled.get(name) ? undefined : value;
}

// optional is typed for a field that can be empty, which is null in the API.
function optional(name: Name): string | null | undefined {
  return typed(name) === "" ? null : typed(name);
}

// oneOf is typed for a select, with the type of its options.
function oneOf<T extends string>(name: Name, options: T[]): T | undefined {
  return options.find((option) => option === typed(name));
}

async function save(saved: (issue: Issue) => void): Promise<void> {
  clear();
  const body = {
    text: optional("text"),
    resolution: typed("resolution") === "" ? null : oneOf("resolution", ["done", "duplicate", "rejected"]),
    priority: oneOf("priority", ["low", "normal", "high"]),
    due: optional("due"),
    assignee: optional("assignee"),
  };
  const result = issue
    ? await api.PATCH("/issue/{id}", {
        params: { path: { id: issue.id }, query: { fields }, header: { "If-Match": tag } },
        body: { ...body, title: typed("title"), state: typed("state") },
      })
    : await api.POST("/issue", {
        params: { query: { fields }, header: { "Idempotency-Key": key } },
        body: { ...body, title: typed("title") ?? "", project: Number(controls.get("project")!.value) },
      });
  if (result.data) {
    dialog.close();
    saved(result.data);
  } else if (issue && result.response.status === 412) {
    merge(issue, await read(issue.id));
  } else {
    complain(result.error);
  }
}

// merge shows the change of another person beside the fields. Fields in which this person has typed keep what is typed.
function merge(before: Issue, now: Issue): void {
  issue = now;
  heading.textContent = nameOf(issue);
  for (const name of names) {
    if (now[name] === before[name]) continue;
    if (typed(name) === undefined) {
      fill(name);
      note(name, `Changed meanwhile; before: ${before[name] || "empty"}`);
    } else {
      note(name, `Meanwhile changed to: ${now[name] || "empty"}`);
    }
  }
  report("Not saved: the issue has changed meanwhile. Look at the marked fields, then save again.");
}

// complain shows the errors of values beside their fields, and others in the live region.
function complain(failure: Failure): void {
  const others: string[] = [];
  for (const { field = "", text } of problems(failure)) {
    const control = controls.get(field);
    if (control) {
      note(field, text);
      control.ariaInvalid = "true";
    } else {
      others.push(text);
    }
  }
  report(`Not saved. ${others.join(" ") || "Look at the marked fields."}`);
}

// report shows a text in the live region, and moves the focus to the first marked field.
function report(text: string): void {
  errors.textContent = text;
  form.querySelector<HTMLElement>("p:has(.note:not(:empty)) [name]")?.focus();
}

function note(name: string, text: string): void {
  find(`#note-${name}`, HTMLElement).textContent = text;
}

function clear(): void {
  errors.textContent = "";
  for (const [name, control] of controls) {
    note(name, "");
    control.ariaInvalid = null;
  }
}

// start connects the form. The function saved gets each saved issue.
export function start(saved: (issue: Issue) => void): void {
  for (const control of form.querySelectorAll<Control>("[name]")) {
    const text = document.createElement("span");
    text.id = `note-${control.name}`;
    text.className = "note";
    control.setAttribute("aria-describedby", text.id);
    control.closest("p")?.append(text);
    controls.set(control.name, control);
  }
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    await attempt(errors, () => save(saved));
    form.ariaBusy = null;
  };
  find("#cancel", HTMLButtonElement).onclick = () => dialog.close();
}
