// nginx that is told what each node can take: the best that its open-source edition does against a crowd, if somebody
// has measured every node beforehand and keeps the figures right.
import { capacityOf, slotsOf, smallNodes } from '../capacity.ts'
import { deadlines, type NodeName } from '../federation.ts'
import { findProgram } from '../machine.ts'
import { address, type Contender, type Place } from './contender.ts'
import { nginx, nginxFolders, nginxMain, nginxProxying } from './nginx.ts'

export const nginxTold: Contender = {
  name: 'nginx-told',
  title: 'nginx told each limit',
  parts: ['saturation'],
  proxies: true,
  version: () => nginx.version(),
  launch: (place) => ({
    file: findProgram('nginx') ?? 'nginx',
    args: ['-p', place.folder, '-c', `${place.folder}/nginx.conf`, '-e', `${place.folder}/error.log`],
    files: { 'nginx.conf': configuration(place) },
  }),
}

/** A request waits for each one at work: so no slot is idle while an answer travels, and the wait is one service. */
const connectionsPerSlot = 2

/**
 * - `max_conns` passes a full server over at once. With all of a group full nginx answers 502, which `error_page`
 *   turns into the next group: so levels stay in order, for which `backup` has one tier only. Backups with
 *   `max_conns` in one group answer as much, but take from neighbour and province in turn.
 * - Sound for GETs, which are all that is measured. A POST that a node broke off would be repeated as well.
 * - The last level full is a 503, at once.
 * - Each "no live upstreams" is an error to nginx's log; a thousand lines a second would cost it CPU, so only worse
 *   is logged.
 */
const configuration = ({ port, adminPort, folder, upstreams, capacity }: Place): string => {
  const server = (name: NodeName, at: number): string => {
    const most = slotsOf(capacityOf(name, capacity ?? smallNodes)) * connectionsPerSlot
    return `server ${address(at)} max_conns=${most} max_fails=3 fail_timeout=${deadlines.ejectedMs / 1000}s;`
  }
  const group = (name: string, servers: readonly string[]): string => `
  upstream ${name} {
    zone ${name} 128k;
    ${servers.join('\n    ')}
    keepalive 1024;
    keepalive_requests 1000000000;
    keepalive_timeout 60s;
  }`
  const [first, second] = upstreams.local
  return `${nginxMain(folder, 'crit')}
http {
${nginxFolders(folder)}
  access_log off;
  server_tokens off;
  tcp_nodelay on;
  keepalive_timeout 65s;
  keepalive_requests 1000000000;
${group('local', [server('xian-1', first), server('xian-2', second)])}
${group('neighbour', [server('xianyang-1', upstreams.neighbour)])}
${group('province', [server('shaanxi-1', upstreams.province)])}
${nginxProxying}
  recursive_error_pages on;
  server {
    listen ${address(port)} backlog=4096;
    location / {
      proxy_pass http://local;
      error_page 502 504 = @neighbour;
    }
    location @neighbour {
      proxy_pass http://neighbour;
      error_page 502 504 = @province;
    }
    location @province {
      proxy_pass http://province;
      error_page 502 504 = @full;
    }
    location @full { return 503; }
  }
  server {
    listen ${address(adminPort)};
    location / { stub_status; }
  }
}
`
}
