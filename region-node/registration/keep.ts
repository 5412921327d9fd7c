// Keeps this process in Consul's catalogue through its agent: put back whenever it is gone, taken out when it ends.
import type { ConsulAgent } from './agent.ts'
import { checkIdOf, type Entry, isAsSaid, registrationOf, seenSchema } from './entry.ts'
import { inRounds, type Pauses, pausesOf, type Told } from './rounds.ts'

export interface Registration {
  /**
   * Takes the entry out; resolves once that is done, or can't be within the agent's deadline. Never rejects. Further calls
   * wait for the same end.
   */
  leave(): Promise<void>
}

export interface KeepTold extends Told {
  /** It could not be taken out: Consul's check will find it gone. */
  left(detail: string): void
}

/** How often the agent is asked whether the entry is still there, ms. */
const lookEveryMs = 3000

/**
 * @param ill Why the process should not be sent to now, or `null`. Asked only where the check is by its own word.
 * @param pauses Between looks.
 */
export function keepRegistered(
  agent: ConsulAgent,
  entry: Entry,
  told: KeepTold,
  ill: () => string | null = () => null,
  pauses: Pauses = pausesOf(lookEveryMs),
): Registration {
  const ended = new AbortController()
  let everEntered = false
  const round = async (): Promise<void> => {
    if (!(await stands(agent, entry))) await register(agent, entry)
    if (entry.check.kind === 'ttl') await report(agent, entry, ill())
    everEntered = true
  }
  const running = inRounds(round, pauses, told, ended.signal)
  const leave = async (): Promise<void> => {
    ended.abort()
    // A registration that is under way would put back what is taken out.
    await running
    try {
      await deregister(agent, entry)
    } catch (cause) {
      // Where it never stood, nothing is left behind.
      if (everEntered) told.left(cause instanceof Error ? cause.message : String(cause))
    }
  }
  let leaving: Promise<void> | undefined
  return { leave: () => (leaving ??= leave()) }
}

async function stands(agent: ConsulAgent, entry: Entry): Promise<boolean> {
  const what = 'show this service'
  const answer = await agent.ask(
    'GET',
    `/agent/health/service/id/${encodeURIComponent(entry.id)}?format=json`,
  )
  if (answer.status === 404) return false
  // By its health: passing, warning, critical.
  if (![200, 429, 503].includes(answer.status)) throw agent.unexpected(what, answer)
  const seen = seenSchema.safeParse(jsonOf(answer.text))
  if (!seen.success) throw agent.unexpected(what, answer)
  return isAsSaid(entry, seen.data)
}

async function register(agent: ConsulAgent, entry: Entry): Promise<void> {
  // Else checks that the entry no longer has would stay.
  const path = '/agent/service/register?replace-existing-checks=true'
  const answer = await agent.ask('PUT', path, registrationOf(entry))
  if (answer.status !== 200) throw agent.unexpected('register this service', answer)
}

async function report(agent: ConsulAgent, entry: Entry, ill: string | null): Promise<void> {
  const verb = ill === null ? 'pass' : 'fail'
  // Consul repeats the last note when no word comes any more; of one that was well there is none to repeat.
  const note = ill === null ? '' : `?note=${encodeURIComponent(ill)}`
  const path = `/agent/check/${verb}/${encodeURIComponent(checkIdOf(entry))}${note}`
  const answer = await agent.ask('PUT', path)
  if (answer.status !== 200) throw agent.unexpected('take word of this service', answer)
}

async function deregister(agent: ConsulAgent, entry: Entry): Promise<void> {
  const answer = await agent.ask('PUT', `/agent/service/deregister/${encodeURIComponent(entry.id)}`)
  // 404: somebody else has taken it out.
  if (answer.status !== 200 && answer.status !== 404) throw agent.unexpected('forget this service', answer)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
