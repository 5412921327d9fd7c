// Everyone who waits for one race's answer: the resident who began it, and those who asked the same meanwhile.
import type { Observer, RequestOutcome } from '../../model/events.ts'
import type { Level } from '../../model/snapshot.ts'
import { reply } from '../error-reply.ts'
import type { Reason } from '../error-texts.ts'
import { audienceOf, type Exchange } from '../exchange.ts'
import { endBody } from '../http.ts'
import { sendAnswerHead } from './answer-head.ts'
import type { Attempt } from './attempt.ts'

export class Audience {
  private readonly waiting: Exchange[] = []
  private readonly observer: Observer
  private readonly deserted: (last: Exchange) => void

  /** @param deserted Told of the last one who leaves unanswered. That one's end is the listener's to count. */
  constructor(observer: Observer, deserted: (last: Exchange) => void) {
    this.observer = observer
    this.deserted = deserted
  }

  /** Who is answered first, and alone where an answer is passed on as it comes. */
  get first(): Exchange | undefined {
    return this.waiting[0]
  }

  /** Several wait for the one answer. */
  get isShared(): boolean {
    return this.waiting.length > 1
  }

  join(exchange: Exchange): void {
    this.waiting.push(exchange)
    exchange.response.on('close', () => {
      if (!this.waiting.includes(exchange)) return
      if (this.waiting.length === 1) this.deserted(exchange)
      else this.finish(exchange, null, 'client-left')
    })
  }

  /** The whole answer for everybody else, once the first has its head. */
  answerRest(attempt: Attempt, tries: number, body: Buffer, outcome: RequestOutcome): void {
    for (const exchange of this.waiting.slice(1)) {
      if (sendAnswerHead(exchange, attempt, tries, body)) {
        endWith(exchange, body)
        this.finish(exchange, attempt.pick.level, outcome)
      } else this.refuse(exchange, 'unavailable', 'unavailable')
    }
  }

  /** Takes all but the first out, to be served by themselves. */
  dismissRest(): Exchange[] {
    return this.waiting.splice(1)
  }

  /** Tries `answer` for each; who was answered by it is done. */
  answerEach(answer: (exchange: Exchange) => boolean): void {
    for (const exchange of this.waiting.slice())
      if (answer(exchange)) this.finish(exchange, null, 'last-good')
  }

  refuseAll(reason: Reason, outcome: RequestOutcome): void {
    for (const exchange of this.waiting.slice()) this.refuse(exchange, reason, outcome)
  }

  finish(exchange: Exchange, level: Level | null, outcome: RequestOutcome): void {
    const at = this.waiting.indexOf(exchange)
    if (at === -1) return
    this.waiting.splice(at, 1)
    this.observer.requestEnded(exchange.home, level, outcome, performance.now() - exchange.startedAt)
  }

  private refuse(exchange: Exchange, reason: Reason, outcome: RequestOutcome): void {
    reply(exchange.response, reason, audienceOf(exchange))
    this.finish(exchange, null, outcome)
  }
}

export const endWith = ({ method, response }: Exchange, body: Buffer): void =>
  endBody(response, method === 'HEAD' || body.length === 0 ? undefined : body)
