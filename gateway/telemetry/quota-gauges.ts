// What a scrape tells of the donors' quotas that this gateway shares with others.
import { Gauge, type Registry } from 'prom-client'
import type { QuotaSharing } from '../model/quota-sharing.ts'

/** Set anew at every scrape, so that a departed donor leaves no line behind. */
export function gaugesOfQuotas(registry: Registry, read: () => QuotaSharing): void {
  const ofPledges = (name: string, help: string, of: (pledge: QuotaSharing['pledges'][number]) => number) => {
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames: ['donor', 'unit'],
      registers: [registry],
      collect: () => {
        made.reset()
        for (const pledge of read().pledges) {
          const [donor = '', unit = ''] = pledge.pledge.split(' ')
          made.set({ donor, unit }, of(pledge))
        }
      },
    })
  }
  const single = (name: string, help: string, of: (sharing: QuotaSharing) => number): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: () => made.set(of(read())),
    })
  }
  ofPledges('chiyuan_quota_pledge', 'What a donor pledges to all gateways, by unit.', ({ amount }) => amount)
  ofPledges('chiyuan_quota_share', 'What of it this gateway may lend now.', ({ share }) => share)
  single(
    'chiyuan_quota_shares_up',
    '1 while shares are renewed; 0 while this gateway is cut off from the others and keeps what it had.',
    ({ lost }) => (lost === null ? 1 : 0),
  )
  single(
    'chiyuan_quota_lease_seconds',
    'What is left of the lease of the shares.',
    ({ leaseMs }) => leaseMs / 1000,
  )
  single(
    'chiyuan_quota_gateways',
    'Gateways that share quotas, this one included.',
    ({ gateways }) => gateways,
  )
}
