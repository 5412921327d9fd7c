// Which synthetic resident this page is for: as its address says, else as last time, else the first of Xi'an.
const key = 'chiyuan-resident'
const first = 'R610100-000001'
const pattern = /^[A-Za-z0-9_-]{1,64}$/
/** What looks like a citizen's number, of eighteen places or the old fifteen, is never kept, shown in the address or sent. */
const documentNumber = /^\d{15}$|^\d{17}[\dXx]$/

export const isResidentId = (text: string): boolean => pattern.test(text) && !documentNumber.test(text)

/** Behind a `#`, which is sent to nobody. */
export function residentId(): string {
  if (documentNumber.test(location.hash.slice(1))) history.replaceState(null, '', location.pathname)
  for (const named of [location.hash.slice(1), localStorage.getItem(key) ?? '']) {
    if (isResidentId(named)) return named
  }
  return first
}

export function chooseResident(id: string): void {
  localStorage.setItem(key, id)
  history.replaceState(null, '', `#${id}`)
}
