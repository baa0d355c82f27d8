import createClient from "openapi-fetch";
import type { components, paths } from "./schema";
import { withToken } from "./session";

export const api = createClient<paths>({ baseUrl: import.meta.env.VITE_API, fetch: withToken });

type Schemas = components["schemas"];
export type Issue = Schemas["issue"];
export type Failure = Schemas[Extract<keyof Schemas, `${string}Body`>];

// problems returns the texts of an error for people. A text about a value of a form has the name of its field.
export function problems({ error }: Failure): { field?: string; text: string }[] {
  switch (error.code) {
    case "VALIDATION_FAILED":
      return error.details.violations.map((v) => ({ field: String(v.path[0]), text: `Accepted: ${v.accepted}.` }));
    case "BAD_FIELD_VALUE":
      return [{ field: error.details.field_name, text: error.message }];
    case "OBJECT_DOES_NOT_EXIST":
      return [{ field: error.details.object_name === "user" ? "assignee" : undefined, text: error.message }];
  }
  return [{ text: error.message }];
}

// answer returns the data of an answer, or throws its error.
export function answer<T>({ data, error }: { data?: T; error?: Failure }): T {
  if (data === undefined) throw new Error(error?.error.message ?? "The answer is empty.");
  return data;
}

// cursor returns an argument of the Link to another page of a list, or undefined if there is no such page.
export function cursor(response: Response, rel: "next" | "prev", argument: "after" | "before"): string | undefined {
  const link = response.headers.get("Link")?.match(`<([^>]*)>; rel="${rel}"`)?.[1];
  return link && (new URL(link, response.url).searchParams.get(argument) ?? undefined);
}

const projects = new Map<number, string>();
let loading: Promise<void> | undefined;

// loadProjects fills the selects of projects, once.
export function loadProjects(): Promise<void> {
  return (loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  }));
}

async function load(): Promise<void> {
  for (const { id, name = "" } of answer(await api.GET("/project", { params: { query: { fields: ["id", "name"], sort: ["name"] } } }))) {
    projects.set(id, name);
    for (const select of document.querySelectorAll<HTMLSelectElement>(".projects")) select.add(new Option(name, String(id)));
  }
}

// nameOf returns the name of an issue, such as mill #3.
export function nameOf(issue: Issue): string {
  return `${projects.get(issue.project ?? 0) ?? "project"} #${issue.number}`;
}
