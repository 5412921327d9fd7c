// `chiyuan me`: who the token makes one, and what one may do.
import type { Command } from 'commander'
import { fields } from '../table.ts'
import { meAnswer, scopeText } from './answers.ts'
import { type CommonFlags, operatorsCommand, withCommonOptions, withGateway } from './command.ts'
import { show } from './output.ts'

export function meCommand(): Command {
  const examples = `  chiyuan me
  chiyuan me --url https://gateway.example:8101 --ca ca.pem --token-file ~/.chiyuan-token`
  const command = operatorsCommand(
    'me',
    'who you are to the gateway, and what you may do 当前身份与权限',
    examples,
  )
  return withCommonOptions(command).action((flags: CommonFlags) =>
    withGateway(flags, async (desk) => {
      const answer = await desk.client.get('/me', meAnswer)
      const { name, id, roles, scope, may } = answer.value
      show(desk, answer, () =>
        fields([
          [desk.say({ en: 'name', zh: '姓名' }), name],
          ['id', id],
          [desk.say({ en: 'roles', zh: '角色' }), roles.join(' ')],
          [desk.say({ en: 'regions', zh: '地区' }), scopeText(scope)],
          [desk.say({ en: 'may', zh: '权限' }), may.join(' ')],
        ]),
      )
    }),
  )
}
