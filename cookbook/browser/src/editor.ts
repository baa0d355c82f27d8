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
let base: Version | undefined; // the issue as it was read; undefined for a new issue
let key = ""; // of what the form is open for; with it, repeated requests create one issue

type Version = { issue: Issue; tag: string };

export async function edit(id: number): Promise<void> {
  open(await read(id));
}

export async function create(): Promise<void> {
  await loadProjects();
  open(undefined);
}

async function read(id: number): Promise<Version> {
  const result = await api.GET("/issue/{id}", { params: { path: { id }, query: { fields } } });
  const issue = answer(result);
  const tag = result.response.headers.get("ETag");
  if (!tag) throw new Error("The API shows this page no ETag, so changes of others could be overwritten.");
  return { issue, tag };
}

function open(version: Version | undefined): void {
  if (dialog.open) return;
  base = version;
  key = crypto.randomUUID();
  form.reset();
  clear();
  heading.textContent = base ? nameOf(base.issue) : "New issue";
  for (const p of form.querySelectorAll<HTMLElement>(".editing")) p.hidden = !base;
  for (const p of form.querySelectorAll<HTMLElement>(".creating")) p.hidden = !!base;
  names.forEach(fill);
  dialog.showModal();
}

function fill(name: Name): void {
  const control = controls.get(name)!;
  if (base) control.value = base.issue[name] ?? "";
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
  const [version, turn] = [base, key];
  clear();
  const body = {
    text: optional("text"),
    resolution: typed("resolution") === "" ? null : oneOf("resolution", ["done", "duplicate", "rejected"]),
    priority: oneOf("priority", ["low", "normal", "high"]),
    due: optional("due"),
    assignee: optional("assignee"),
  };
  const result = version
    ? await api.PATCH("/issue/{id}", {
        params: { path: { id: version.issue.id }, query: { fields }, header: { "If-Match": version.tag } },
        body: { ...body, title: typed("title"), state: oneOf("state", ["open", "started", "closed"]) },
      })
    : await api.POST("/issue", {
        params: { query: { fields }, header: { "Idempotency-Key": turn } },
        body: { ...body, title: typed("title") ?? "", project: Number(controls.get("project")!.value) },
      });
  if (result.data) {
    if (turn === key) dialog.close(); // otherwise the person has closed the form, and opened it for another issue
    saved(result.data);
  } else if (version && result.response.status === 412) {
    const now = await read(version.issue.id);
    if (turn === key) merge(version.issue, now);
  } else if (turn === key) {
    complain(result.error);
  }
}

// merge shows the change of another person beside the fields. Fields in which this person has typed keep what is typed.
function merge(before: Issue, version: Version): void {
  base = version;
  const now = version.issue;
  heading.textContent = nameOf(now);
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
