// Finds the elements of a page, and writes to the document only what changed.

/** @throws {Error} when the page has none by that id: page and script are not of one release. */
export function element(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no element ${id}`)
  return found
}

/** Unchanged text is left alone, so that screen readers are not made to read it again. */
export function write(id: string, text: string): void {
  const target = element(id)
  if (target.textContent !== text) target.textContent = text
}

export function show(id: string, shown: boolean): void {
  element(id).hidden = !shown
}
