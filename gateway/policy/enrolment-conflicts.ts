// What keeps an enrolment from standing beside the configuration file and the other enrolments.
import type { Enrolment } from '../model/enrolment.ts'
import type { Region } from '../model/region.ts'

export interface Federation {
  /** As the configuration file lists them, without enrolments. */
  readonly regions: readonly Region[]
  /** All others that are known; drafts and withdrawn ones are passed over. */
  readonly enrolments: readonly Enrolment[]
}

export interface Conflict {
  /** Path under the terms, such as `['nodes', 0, 'id']`. */
  readonly path: readonly (string | number)[]
  readonly message: { readonly zh: string; readonly en: string }
}

const claiming = new Set(['submitted', 'verified', 'approved', 'active', 'suspended'])

/** Every one of them, in the order of the fields. */
export function conflicts(enrolment: Enrolment, federation: Federation): Conflict[] {
  const { donor, homes } = enrolment.terms
  const listed = federation.regions.find(({ code }) => code === donor.code)
  const found: Conflict[] = []
  if (listed !== undefined && listed.tier !== donor.tier) {
    found.push({
      path: ['donor', 'tier'],
      message: {
        zh: `配置文件中 ${donor.code} 的层级是 ${listed.tier}`,
        en: `the configuration file lists ${donor.code} as ${listed.tier}`,
      },
    })
  }
  for (const [i, home] of homes.entries()) {
    const path = ['homes', i]
    if (home === donor.code) {
      found.push({
        path,
        message: { zh: `${home} 不能支援自己`, en: `${home} can’t be its own donor` },
      })
    } else if (!federation.regions.some(({ code }) => code === home)) {
      found.push({
        path,
        message: {
          zh: `配置文件未列出地区 ${home}`,
          en: `region ${home} is not listed in the configuration file`,
        },
      })
    }
  }
  return [...found, ...nodeConflicts(enrolment, federation)]
}

function nodeConflicts(enrolment: Enrolment, { regions, enrolments }: Federation): Conflict[] {
  const ids = new Map<string, string>()
  const addresses = new Map<string, string>()
  for (const node of regions.flatMap(({ nodes }) => nodes)) {
    ids.set(node.id, 'the configuration file')
    addresses.set(node.origin + node.basePath, node.id)
  }
  for (const other of enrolments) {
    if (other.id === enrolment.id || !claiming.has(other.state)) continue
    for (const node of other.terms.nodes) {
      ids.set(node.id, `enrolment ${other.id}`)
      addresses.set(addressOf(node.url), node.id)
    }
  }
  const found: Conflict[] = []
  for (const [i, { id, url }] of enrolment.terms.nodes.entries()) {
    const owner = ids.get(id)
    if (owner !== undefined) {
      const message = { zh: `节点编号 ${id} 已被占用（${owner}）`, en: `node id ${id} is taken by ${owner}` }
      found.push({ path: ['nodes', i, 'id'], message })
    }
    const address = addressOf(url)
    const twin = addresses.get(address)
    if (twin !== undefined) {
      const message = { zh: `${url} 已是 ${twin} 的地址`, en: `${url} is the address of ${twin} already` }
      found.push({ path: ['nodes', i, 'url'], message })
    }
    // Also against its own later ones.
    ids.set(id, 'this enrolment')
    addresses.set(address, id)
  }
  return found
}

/** As {@link CodeNode} has it: origin and path without a trailing slash. */
export function addressOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname.replace(/\/+$/, '')
}
