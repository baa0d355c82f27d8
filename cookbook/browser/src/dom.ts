// find returns the element of index.html that matches a selector.
export function find<T extends HTMLElement>(selector: string, type: new () => T): T {
  const element = document.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} ${selector}`);
  return element;
}

// attempt runs an action, and shows the error that the action ends with in a live region of the page.
export async function attempt(place: HTMLElement, action: () => Promise<void>): Promise<void> {
  try {
    place.textContent = "";
    await action();
  } catch (error) {
    place.textContent = error instanceof Error ? error.message : String(error);
  }
}
