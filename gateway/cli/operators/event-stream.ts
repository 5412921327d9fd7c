// Server-sent events as they come over the wire (WHATWG HTML, section 9.2.6).
export interface ServerSentEvent {
  /** `message` where it has no name. */
  readonly name: string
  readonly data: string
  /** Last id that was sent, to go on from; empty for none. */
  readonly id: string
}

/** A line longer than this is none of ours. */
const lineCharactersAtMost = 1024 * 1024

/** @param chunks Text, cut anywhere. @throws {Error} for a line without end. */
export async function* eventsIn(chunks: AsyncIterable<string>): AsyncGenerator<ServerSentEvent, void> {
  let rest = ''
  let event = { name: '', data: [] as string[] }
  let id = ''
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > lineCharactersAtMost) throw new Error('a line without end')
    for (const raw of lines) {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
      const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
      if (line === '') {
        if (event.data.length > 0) yield { name: event.name || 'message', data: event.data.join('\n'), id }
        event = { name: '', data: [] }
      } else if (field === 'event') event.name = value
      else if (field === 'data') event.data.push(value)
      else if (field === 'id') id = value
    }
  }
}
