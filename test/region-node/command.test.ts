import { describe, expect, it } from '@jest/globals'
import { regionNodeCommand } from '../../region-node/command.ts'

/** What the command says on its way to exit code 1 with these arguments. */
async function complaintOf(...flags: string[]): Promise<string> {
  let said = ''
  const command = regionNodeCommand()
    .exitOverride()
    .configureOutput({ writeErr: (text) => void (said += text) })
  await expect(command.parseAsync(flags, { from: 'user' })).rejects.toMatchObject({ exitCode: 1 })
  return said
}

describe('region-node flags', () => {
  it.each([
    { flag: '--port', value: 'http', right: 'a whole number from 0 to 65535' },
    { flag: '--port', value: '65536', right: 'a whole number from 0 to 65535' },
    { flag: '--region', value: 'xian', right: 'a six-digit division code such as 610100' },
    { flag: '--name', value: 'a b', right: '1 to 64 letters, digits' },
    { flag: '--residents', value: '-5', right: 'a whole number from 0 to 1000000' },
    { flag: '--residents', value: '1e3', right: 'a whole number from 0 to 1000000' },
    { flag: '--holds', value: '610400;610500', right: 'a six-digit division code such as 610100' },
    { flag: '--limit', value: '0', right: 'a whole number from 1 to 100000' },
    { flag: '--drain-ms', value: '1s', right: 'a whole number from 0 to 600000' },
  ])('$flag $value is refused with what would be right', async ({ flag, value, right }) => {
    const complaint = await complaintOf(`${flag}=${value}`)
    expect(complaint).toContain(flag)
    expect(complaint).toContain(`'${value}'`)
    expect(complaint).toContain(right)
    expect(complaint.trim().split('\n')).toHaveLength(1)
  })

  it('refuses an unknown flag and suggests the one that was meant', async () => {
    expect(await complaintOf('--prot', '9101')).toContain('Did you mean --port?')
  })

  it('explains every flag, says that residents are synthetic, and gives examples', () => {
    let help = ''
    regionNodeCommand()
      .configureOutput({ writeOut: (text) => void (help += text) })
      .outputHelp()
    for (const flag of [
      '--host',
      '--port',
      '--region',
      '--name',
      '--data',
      '--residents',
      '--holds',
      '--limit',
    ]) {
      expect(help).toContain(flag)
    }
    expect(help).toContain('synthetic')
    expect(help).toContain('region-node --region 610400 --port 9201')
  })
})
