// Upstream nodes that cost next to nothing, for the CPU rounds: nginx answering by itself, or else a plain Node server.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answerHeaders, codeAnswer } from '../answer.ts'
import { address } from '../contenders/contender.ts'
import { nginxFolders, nginxMain } from '../contenders/nginx.ts'
import { nodeNames, portsOf, type Upstreams } from '../federation.ts'
import { temporaryFolder } from '../folder.ts'
import { findProgram } from '../machine.ts'
import { freePort } from '../ports.ts'
import { start } from '../processes.ts'
import { waitForAnswer } from '../probe.ts'

export interface CheapNodes extends AsyncDisposable {
  readonly upstreams: Upstreams
  /** What they are made of. */
  readonly kind: 'nginx' | 'node'
}

export async function startCheapNodes(cores: string | null, signal: AbortSignal): Promise<CheapNodes> {
  const upstreams: Upstreams = {
    local: [await freePort(), await freePort()],
    neighbour: await freePort(),
    province: await freePort(),
  }
  const temporary = await temporaryFolder('nodes')
  const folder = temporary.path
  const nginx = findProgram('nginx')
  const named = portsOf(upstreams).map((port, i) => ({ port, name: nodeNames[i] ?? '' }))
  await writeFile(join(folder, 'nginx.conf'), configuration(folder, named))
  const script = fileURLToPath(new URL('./plain-server.ts', import.meta.url))
  const node =
    nginx === null
      ? start({
          file: process.execPath,
          args: [script, ...named.map(({ port, name }) => `${port}=${name}`)],
          cores,
        })
      : start({
          file: nginx,
          args: ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')],
          cores,
        })
  const dispose = async (): Promise<void> => {
    await node.stop()
    await temporary[Symbol.asyncDispose]()
  }
  try {
    for (const port of portsOf(upstreams)) await waitForAnswer(port, node, signal)
  } catch (cause) {
    await dispose()
    throw cause
  }
  return { upstreams, kind: nginx === null ? 'node' : 'nginx', [Symbol.asyncDispose]: dispose }
}

const configuration = (folder: string, nodes: readonly { port: number; name: string }[]): string => {
  const { 'content-type': type, ...others } = answerHeaders
  const headers = Object.entries(others).map(([name, value]) => `add_header ${name} "${value}";`)
  const server = ({ port, name }: { port: number; name: string }): string => `
  server {
    listen ${address(port)} backlog=4096;
    location / { ${headers.join(' ')} return 200 '${codeAnswer(name)}'; }
  }`
  return `${nginxMain(folder)}
http {
${nginxFolders(folder)}
  access_log off;
  server_tokens off;
  default_type ${type};
  keepalive_timeout 300s 65s;
  keepalive_requests 1000000000;
${nodes.map(server).join('\n')}
}
`
}
