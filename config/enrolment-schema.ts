// The part of the schema that says how enrolled donors are taken in and let go.
import { isIP } from 'node:net'
import { z } from 'zod'
import { count, ms } from './fields.ts'

export const enrolment = z.strictObject({
  rampMs: ms(
    0,
    86_400_000,
    1_800_000,
    'Time over which a donor’s pledge is used in steps of 1, 2, 5, 10, 25, 50 and 100 %. 0: at once.',
  ),
  drainMs: ms(
    0,
    3_600_000,
    60_000,
    'How long nodes that no longer serve are kept for what they have in flight.',
  ),
  verificationMaxAgeMs: ms(
    60_000,
    30 * 86_400_000,
    86_400_000,
    'Age of a verification above which nobody may approve by it.',
  ),
  networks: z
    .array(z.string().refine(isNetwork, 'a network in CIDR form, such as 10.20.0.0/16 or fd12::/16'))
    .max(1000)
    .default([])
    .describe(
      'Networks in which enrolled nodes, and those that a catalogue lists, may be, and no others then. Where none is named: everywhere but this machine, link-local and multicast addresses, and those at which clouds tell of themselves.',
    ),
  testResident: z
    .string()
    .regex(/^[A-Za-z0-9_-]*\{home\}[A-Za-z0-9_-]*$/, 'an id with one {home}, such as R{home}-000001')
    .default('R{home}-000001')
    .describe('Synthetic resident of each home by whom verifications ask for a code.'),
  verificationRampMs: ms(1000, 600_000, 20_000, 'Time over which a verification rises to the pledge.'),
  verificationRps: count(
    1,
    100_000,
    2000,
    'Rate above which a verification does not go, whatever was pledged: this gateway serves residents meanwhile.',
  ),
})

function isNetwork(text: string): boolean {
  const [, address = '', bits = ''] = /^([0-9A-Fa-f:.]+)\/(\d{1,3})$/.exec(text) ?? []
  const family = isIP(address)
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128)
}
