// What is published works: packed, installed globally into an empty folder, run by its name.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'

const run = promisify(execFile)

it('npm pack gives a package whose command works after a global install', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chiyuan-package-'))
  try {
    // The Node.js that runs this test, whatever the machine's own is.
    const env = {
      ...process.env,
      PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
    }
    const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { env })
    const [, file = ''] = /"filename":\s*"([^"]+)"/.exec(packed.stdout) ?? []
    const prefix = join(folder, 'global')
    await run('npm', ['install', '--global', '--prefer-offline', '--prefix', prefix, join(folder, file)], {
      env,
    })
    const chiyuan = join(prefix, 'bin', 'chiyuan')
    expect((await run(chiyuan, ['--version'], { env })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    const help = await run(chiyuan, ['--help'], { env })
    for (const command of ['gateway', 'region-node', 'start', 'config'])
      expect(help.stdout).toContain(command)
    const demo = join(prefix, 'lib', 'node_modules', 'chiyuan', 'config', 'demo.yaml')
    expect((await run(chiyuan, ['config', 'check', demo], { env })).stdout).toContain(
      'good: 4 regions, 5 nodes',
    )
    // The pages are built with the package: whoever installs it has no bundler.
    const node = spawn(chiyuan, ['region-node', '--port', '0', '--residents', '1'], { env, stdio: 'pipe' })
    const [, url = ''] = /(http:\S+)/.exec(String(await once(node.stdout, 'data'))) ?? []
    const page = await fetch(url)
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('resident-')])
    node.kill()
    await once(node, 'exit')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 120_000)
