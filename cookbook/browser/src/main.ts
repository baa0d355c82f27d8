import { loadProjects, nameOf } from "./api";
import { attempt, find } from "./dom";
import { create, start as startEditor } from "./editor";
import { show, start as startList } from "./list";
import { signOut } from "./session";

startList();
startEditor(async (issue) => {
  await show(`Saved ${nameOf(issue)}.`);
  document.getElementById(`issue-${issue.id}`)?.focus();
});
find("#create", HTMLButtonElement).onclick = create;
find("#sign-out", HTMLButtonElement).onclick = signOut;
await attempt(find("#list-error", HTMLElement), loadProjects);
await show();
