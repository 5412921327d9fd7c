// Nodes in a real Consul's catalogue, as tests register them, and who answers residents then.
import { expect } from '@jest/globals'
import { z } from 'zod'
import type { ConsulServer } from './consul.ts'
import type { TestGateway } from './gateway.ts'

export interface Registration {
  readonly service: string
  readonly id: string
  /** `http://host:port` */
  readonly url: string
  readonly region: string
}

/** Passing, by no word of anybody. @param changed Fields of the registration that differ. */
export async function register(
  server: ConsulServer,
  { service, id, url, region }: Registration,
  changed: object = {},
  token?: string,
): Promise<void> {
  const { hostname, port } = new URL(url)
  const body = {
    Name: service,
    ID: id,
    Address: hostname,
    Port: Number(port),
    Meta: { region, node: id },
    ...changed,
  }
  const answer = await server.ask('PUT', '/agent/service/register', JSON.stringify(body), token)
  expect([answer.status, await answer.text()]).toEqual([200, ''])
}

export async function deregister(server: ConsulServer, id: string): Promise<void> {
  const answer = await server.ask('PUT', `/agent/service/deregister/${id}`)
  expect([answer.status, await answer.text()]).toEqual([200, ''])
}

/** Who answers sixty residents of a home, which a path prefix may name. */
export async function answering({ url }: TestGateway, prefix = ''): Promise<string[]> {
  const names = new Set<string>()
  for (let i = 0; i < 60; i += 10) {
    const ten = Array.from({ length: 10 }, async (_, k) =>
      (await fetch(`${url}${prefix}/v1/codes/R${i + k}`)).text(),
    )
    for (const name of await Promise.all(ten)) names.add(name)
  }
  return [...names].sort()
}

const readiness = z.object({ status: z.string(), warnings: z.array(z.string()) })

export const readyz = async ({ adminUrl }: TestGateway) =>
  readiness.parse(await (await fetch(`${adminUrl}/readyz`, { headers: { connection: 'close' } })).json())
