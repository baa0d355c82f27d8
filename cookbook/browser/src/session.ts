import { find } from "./dom";

const dialog = find("#sign-in", HTMLDialogElement);
const input = find("#token", HTMLInputElement);
const reason = find("#sign-in-reason", HTMLElement);
let asking: Promise<void> | undefined;

// withToken sends a request with the bearer token of the person. Without a token, and after a 401, a dialog asks for a token, and
// the request is sent again. The rest of the page stays as it is, with everything that is typed there.
export async function withToken(request: Request): Promise<Response> {
  const token = sessionStorage.getItem("token");
  if (token) {
    const attempt = request.clone();
    attempt.headers.set("Authorization", `Bearer ${token}`);
    const response = await fetch(attempt).catch(() => {
      throw new Error("The server cannot be reached. Try again.");
    });
    if (response.status !== 401) return response;
  }
  if (token === sessionStorage.getItem("token")) { // otherwise the dialog has asked during this request
    asking ??= ask(token ? "The token is not accepted. It may have expired." : "Enter a token for the tracker.").finally(() => (asking = undefined));
    await asking;
  }
  return withToken(request);
}

function ask(why: string): Promise<void> {
  reason.textContent = why;
  input.value = dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve, reject) => {
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return reject(new Error("You are not signed in. Try again."));
      sessionStorage.setItem("token", input.value);
      resolve();
    };
  });
}

export function signOut(): void {
  sessionStorage.removeItem("token");
  location.reload();
}
