// nginx as a reverse proxy with passive health and backups: what its open-source edition has.
import { deadlines } from '../federation.ts'
import { findProgram } from '../machine.ts'
import { address, type Contender, installedVersion, type Place } from './contender.ts'

export const nginx: Contender = {
  name: 'nginx',
  title: 'nginx',
  parts: ['cpu', 'faults', 'saturation'],
  proxies: true,
  version: () => installedVersion('nginx', '-v'),
  launch: (place) => ({
    file: findProgram('nginx') ?? 'nginx',
    args: ['-p', place.folder, '-c', `${place.folder}/nginx.conf`, '-e', `${place.folder}/error.log`],
    files: { 'nginx.conf': configuration(place) },
  }),
}

/**
 * Lines that any nginx needs to run by itself, in a folder of its own. Two connections for each resident who waits:
 * 8192 may, as with HAProxy here.
 */
export const nginxMain = (folder: string, logLevel: 'error' | 'crit' = 'error'): string => `
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log ${logLevel};
events { worker_connections 16384; }
`

export const nginxFolders = (folder: string): string =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${folder}/${kind};`)
    .join('\n')

/** How requests go on, the same however nodes are chosen. */
export const nginxProxying = `
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Request-Id $request_id;
      proxy_connect_timeout ${deadlines.connectMs}ms;
      proxy_read_timeout ${deadlines.attemptMs}ms;
      proxy_send_timeout ${deadlines.attemptMs}ms;
      proxy_next_upstream error timeout invalid_header http_500 http_502 http_503 http_504 http_429;
      proxy_next_upstream_timeout ${deadlines.totalMs}ms;`

/**
 * - Both backups are one tier, used in turn: nginx has no second tier of backups.
 * - No active probes: they are in the commercial edition. A node that failed 3 times is left alone for
 *   `fail_timeout`, then tried with a resident's request.
 * - Requests that are not idempotent are not repeated (nginx's default, and right).
 * - keepalive_requests is raised so that neither side reconnects during a round.
 */
const configuration = ({ port, adminPort, folder, upstreams }: Place): string => {
  const ejected = `max_fails=3 fail_timeout=${deadlines.ejectedMs / 1000}s`
  const [first, second] = upstreams.local
  return `${nginxMain(folder)}
http {
${nginxFolders(folder)}
  access_log off;
  server_tokens off;
  tcp_nodelay on;
  keepalive_timeout 65s;
  keepalive_requests 1000000000;
  upstream federation {
    zone federation 128k;
    server ${address(first)} ${ejected};
    server ${address(second)} ${ejected};
    server ${address(upstreams.neighbour)} ${ejected} backup;
    server ${address(upstreams.province)} ${ejected} backup;
    keepalive 256;
    keepalive_requests 1000000000;
    keepalive_timeout 60s;
  }
  server {
    listen ${address(port)} backlog=4096;
    location / {
      proxy_pass http://federation;
${nginxProxying}
      proxy_next_upstream_tries 8;
    }
  }
  server {
    listen ${address(adminPort)};
    location / { stub_status; }
  }
}
`
}
