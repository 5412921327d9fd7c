// Which synthetic resident this page is for: as its address says, else as last time, else the first of Xi'an.
const key = 'chiyuan-resident'
const first = 'R610100-000001'
const pattern = /^[A-Za-z0-9_-]{1,64}$/

export const isResidentId = (text: string): boolean => pattern.test(text)

/** Behind a `#`, which is sent to nobody. */
export function residentId(): string {
  for (const named of [location.hash.slice(1), localStorage.getItem(key) ?? '']) {
    if (isResidentId(named)) return named
  }
  return first
}

export function chooseResident(id: string): void {
  localStorage.setItem(key, id)
  history.replaceState(null, '', `#${id}`)
}
