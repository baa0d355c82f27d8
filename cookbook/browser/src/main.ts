import { nameOf } from "./api";
import { find } from "./dom";
import { create, start as startEditor } from "./editor";
import { attemptHere, show, start as startList } from "./list";
import { signOut } from "./session";

startList();
startEditor(async (issue) => {
  await show(`Saved ${nameOf(issue)}.`);
  document.getElementById(`issue-${issue.id}`)?.focus();
});
find("#create", HTMLButtonElement).onclick = () => attemptHere(create);
find("#sign-out", HTMLButtonElement).onclick = signOut;
await show();
