// A client of the quickstart with openapi-fetch: node built/typed.js URL
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const api = createClient<paths>({ baseUrl: process.argv[2] });

// A new jar with new cookies.
const created = await api.POST("/jar", {
  body: { cookies: [{ type: "muffin" }, { type: "shortbread" }, { type: "muffin" }] },
});
if (created.error) throw new Error(created.error.error.message);
const jar = created.data;
console.log(`jar ${jar.id} has the cookies ${jar.cookies?.join(", ")}`);

// Pages of a list with conditions and an order. The Link of a page has the cursor of the next one.
let after: string | undefined;
do {
  const page = await api.GET("/cookie", {
    params: {
      query: { filter: JSON.stringify({ type: { prefix: "m" } }), jar: [jar.id], sort: ["type", "-id"], limit: 1, after },
    },
  });
  if (page.error) throw new Error(page.error.error.message);
  for (const cookie of page.data) console.log(`cookie ${cookie.id} is a ${cookie.type}`);
  after = nextCursor(page.response);
} while (after);

function nextCursor(response: Response): string | undefined {
  const next = response.headers.get("Link")?.match(/<([^>]*)>; rel="next"/)?.[1];
  return next && (new URL(next, response.url).searchParams.get("after") ?? undefined);
}

// A change of the record as it was read succeeds once: the second one has an old ETag.
const id = jar.cookies?.[0] ?? 0;
const read = await api.GET("/cookie/{id}", { params: { path: { id } } });
if (read.error) throw new Error(read.error.error.message);
const ifMatch = { "If-Match": read.response.headers.get("ETag") ?? "" };
for (const type of ["pie", "tart"]) {
  const params = { path: { id }, header: ifMatch };
  const changed = await api.PUT("/cookie/{id}", { params, body: { ...read.data, type } });
  console.log(changed.data ? `cookie ${id} is a ${changed.data.type}` : describe(changed.error));
}

// Each code of an error has its own details.
const missing = await api.GET("/cookie/{id}", { params: { path: { id: 4711 } } });
if (missing.error) console.log(describe(missing.error));
const wrong = await api.GET("/cookie", { params: { query: { filter: '{"size": 1}' } } });
if (wrong.error) console.log(describe(wrong.error));

type Schemas = components["schemas"];
type Failure = Schemas[Extract<keyof Schemas, `${string}Body`>];

function describe({ error }: Failure): string {
  switch (error.code) {
    case "OBJECT_DOES_NOT_EXIST":
      return `no ${error.details.object_name} has the id ${error.details.object_id}`;
    case "FIELD_DOES_NOT_EXIST":
      return `${error.details.object_name} has no field ${error.details.field_name}`;
    case "PRECONDITION_FAILED":
      return "the record has changed in between";
    default:
      return error.message;
  }
}
