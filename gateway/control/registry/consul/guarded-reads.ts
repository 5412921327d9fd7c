// Reads that tell records that are not there from records that are gone, begun anew, or hidden from our token.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { RegistryUnavailable } from '../port.ts'
import type { ConsulConnection } from './connection.ts'
import { isMissing, isOvertaken, recordOf, type Row, toValue, type TransactionOperation } from './wire.ts'

/** Stands where the records do, from the first use on. */
const markerName = '.registry'
const markerSchema = z.strictObject({ form: z.literal(1), id: z.uuid() })

export interface Read {
  /** The marker as it stood at the same moment. */
  readonly marker: Row
  readonly rows: readonly Row[]
}

/**
 * Consul answers with an empty list where the records were wiped, and where a token has lost its rights. Taken at its
 * word, every hold would end at that moment. So the marker is read with them.
 */
export class GuardedReads {
  readonly markerKey: string
  private readonly prefix: string
  private readonly connection: Pick<ConsulConnection, 'transact'>
  /** Of the registry that this process has seen; `null` before it has seen any. */
  private id: string | null = null

  constructor(connection: Pick<ConsulConnection, 'transact'>, prefix: string) {
    this.connection = connection
    this.prefix = prefix
    this.markerKey = prefix + markerName
  }

  /**
   * What the operations read, all at one moment. Makes the marker where there has never been one.
   * @returns `null` where one of them named a key that is not there.
   * @throws {RegistryUnavailable}
   */
  async read(operations: readonly TransactionOperation[]): Promise<Read | null> {
    // As it was known when this was asked: an answer from before the marker may come after one that has it.
    const known = this.id
    const answer = await this.connection.transact([
      { KV: { Verb: 'get', Key: this.markerKey } },
      ...operations,
    ])
    if (answer.ok) {
      const [marker, ...rows] = answer.rows
      return { marker: this.checked(marker), rows }
    }
    if (!isMissing(answer.what)) {
      throw new RegistryUnavailable(`Consul refuses to read under ${this.prefix}: ${answer.what}`)
    }
    if (answer.operation > 0) return null
    await this.begin(known)
    return this.read(operations)
  }

  /** @throws {RegistryUnavailable} where it is not the one that we know. */
  private checked(marker: Row | undefined): Row {
    // What a token may not read Consul leaves out.
    if (marker?.key !== this.markerKey) {
      throw new RegistryUnavailable(
        `the Consul token may not read under ${this.prefix}; give it key_prefix "${this.prefix}" with policy write`,
      )
    }
    const read = markerSchema.safeParse(recordOf(markerName, marker.text).value)
    if (!read.success) {
      throw new RegistryUnavailable(
        `${this.markerKey} in Consul is of another release, or was changed by hand; use a newer release, or another prefix`,
      )
    }
    if (this.id !== null && this.id !== read.data.id) {
      throw new RegistryUnavailable(
        `the records under ${this.prefix} in Consul were begun anew; what was decided before stays in force here until they are restored, or this gateway is restarted`,
      )
    }
    this.id = read.data.id
    return marker
  }

  /** @throws {RegistryUnavailable} where records have been before. */
  private async begin(known: string | null): Promise<void> {
    if (known !== null) {
      throw new RegistryUnavailable(
        `the records under ${this.prefix} in Consul are gone; restore a snapshot, or restart all gateways to begin with none`,
      )
    }
    const Value = toValue(1, { form: 1, id: randomUUID() })
    const made = await this.connection.transact([
      { KV: { Verb: 'cas', Key: this.markerKey, Index: 0, Value } },
    ])
    // Another gateway may have been quicker.
    if (!made.ok && !isOvertaken(made.what)) {
      throw new RegistryUnavailable(`Consul refuses ${this.markerKey}: ${made.what}`)
    }
  }
}
