// What `chiyuan start` prints once all runs: who listens where, and three things to try.
import type { Config } from '../../config/schema.ts'
import { table } from './table.ts'

export function demoBanner(
  config: Config,
  pids: ReadonlyMap<string, number>,
  ports: { publicPort: number; adminPort: number },
): string {
  const rows = [
    ['gateway 网关', 'residents 居民', `http://127.0.0.1:${ports.publicPort}`, pid(pids, 'gateway')],
    ['', 'operators 运维', `http://127.0.0.1:${ports.adminPort}`, ''],
    ...config.regions.flatMap((region) =>
      region.nodes.map((node) => [
        node.id,
        `${region.name.zh} ${region.name.en} ${region.code}`,
        node.url,
        pid(pids, node.id),
      ]),
    ),
  ]
  const home = config.regions.find((region) => region.code === config.home.default)
  const homePids = (home?.nodes ?? []).map((node) => pid(pids, node.id)).join(' ')
  const site = `http://127.0.0.1:${ports.publicPort}`
  return `
Chiyuan 驰援 is up. All residents are synthetic. 演示已就绪，居民数据均为合成。

${table(['part 组件', 'who 身份', 'address 地址', 'pid'], rows).replaceAll(/^(?=.)/gm, '  ')}
In a browser 在浏览器中打开:
  ${site}/            a resident’s code 居民出示页面
  ${site}/checkpoint  a checkpoint, which also works offline 验码页面，可离线使用
Try, in another terminal 请在另一个终端中尝试:
  1. curl -i ${site}/v1/codes/R610100-000001
  2. kill -9 ${homePids}   # both nodes of ${home?.name.en ?? 'home'} die; run 1 again: see X-Chiyuan-Route
  3. curl -s http://127.0.0.1:${ports.adminPort}/metrics | grep chiyuan_failovers_total
Press Enter here to start dead nodes again, Ctrl-C to stop all. 按回车键重启已终止的节点，按 Ctrl-C 全部停止。

`
}

const pid = (pids: ReadonlyMap<string, number>, name: string): string => String(pids.get(name) ?? '')
