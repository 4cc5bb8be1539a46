// Small helpers for the document.

/** The element of an id that index.html is known to have. */
export function by<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return element as E;
}

/** Makes an element with a class, texts and children. */
export function make<T extends keyof HTMLElementTagNameMap>(
  tag: T, className = '', ...content: (string | Node)[]
): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  element.append(...content);
  return element;
}

/** Sets a text only where it differs, so that nothing is laid out or read aloud again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** "Sentence" for "sentence". */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
