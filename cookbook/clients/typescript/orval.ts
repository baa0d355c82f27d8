// A client of the quickstart with functions made by orval: node built/orval.js URL
import { createJar, getCookie, listCookie, putCookie } from "./orval/api.js";

// A new jar with new cookies.
const created = await createJar({ cookies: [{ type: "muffin" }, { type: "shortbread" }, { type: "muffin" }] });
if (created.status !== 201) throw new Error(created.data.error.message);
const jar = created.data;
console.log(`jar ${jar.id} has the cookies ${jar.cookies?.join(", ")}`);

// Pages of a list with conditions and an order. The Link of a page has the cursor of the next one.
let after: string | undefined;
do {
  const page = await listCookie({
    filter: JSON.stringify({ type: { prefix: "m" } }), jar: [jar.id], sort: ["type", "-id"], limit: 1, after,
  });
  if (page.status !== 200) throw new Error(page.data.error.message);
  for (const cookie of page.data) console.log(`cookie ${cookie.id} is a ${cookie.type}`);
  after = nextCursor(page.headers);
} while (after);

function nextCursor(headers: Headers): string | undefined {
  const next = headers.get("Link")?.match(/<([^>]*)>; rel="next"/)?.[1];
  return next && (new URL(next, process.argv[2]).searchParams.get("after") ?? undefined);
}

// A change of the record as it was read succeeds once: the second one has an old ETag.
const id = jar.cookies?.[0] ?? 0;
const read = await getCookie(id);
if (read.status !== 200) throw new Error("the cookie is gone");
const headers = { "If-Match": read.headers.get("ETag") ?? "" };
for (const type of ["pie", "tart"]) {
  const changed = await putCookie(id, { ...read.data, type }, {}, { headers });
  switch (changed.status) {
    case 200:
      console.log(`cookie ${id} is a ${changed.data.type}`);
      break;
    case 412:
      console.log("the record has changed in between");
  }
}

// Each code of an error has its own details.
const missing = await getCookie(4711);
if (missing.status === 404 && missing.data.error.code === "OBJECT_DOES_NOT_EXIST") {
  console.log(`no ${missing.data.error.details.object_name} has the id ${missing.data.error.details.object_id}`);
}
const wrong = await listCookie({ filter: '{"size": 1}' });
if (wrong.status === 400 && wrong.data.error.code === "FIELD_DOES_NOT_EXIST") {
  console.log(`${wrong.data.error.details.object_name} has no field ${wrong.data.error.details.field_name}`);
}
