// HAProxy with active checks, passive observation, layer-7 retries and ordered backups.
import { deadlines } from '../federation.ts'
import { findProgram } from '../machine.ts'
import { address, type Contender, installedVersion, type Place } from './contender.ts'

export const haproxy: Contender = {
  name: 'haproxy',
  title: 'HAProxy',
  parts: ['cpu', 'faults', 'saturation'],
  proxies: true,
  version: () => installedVersion('haproxy', '-v'),
  launch: (place) => ({
    file: findProgram('haproxy') ?? 'haproxy',
    args: ['-db', '-f', `${place.folder}/haproxy.cfg`],
    files: { 'haproxy.cfg': configuration(place) },
  }),
}

/** As nginx's here: a crowd whose requests hang must not be turned away by a limit of the set-up. */
const residentsAtOnce = 8192

/**
 * - Backups are used in order: without `allbackups` only the first that is up, so neighbour before province.
 * - Each retry goes to another server (`redispatch 1`). HAProxy picks it among the servers that are up, so a retry
 *   reaches a backup only once both local nodes are marked down.
 * - `timeout server` is the pause between bytes; there is no deadline for all tries together. The count of tries is
 *   Chiyuan's, 8: with its default of 4 more requests fail when both local nodes are half broken.
 * - Requests that are not idempotent are not repeated once sent, as its manual advises.
 * - Probes as Chiyuan's: every 2 s, 0.5 s in transition, 1 s while down, 2 to rise, 3 to fall. Real traffic counts too:
 *   8 bad answers in a row mark a server down.
 */
const configuration = ({ port, adminPort, upstreams }: Place): string => {
  const [first, second] = upstreams.local
  return `
global
  nbthread 1
  maxconn ${residentsAtOnce}

defaults
  mode http
  option http-keep-alive
  option forwardfor
  option redispatch 1
  retries 7
  retry-on all-retryable-errors
  http-reuse always
  timeout client 65s
  timeout http-request 10s
  timeout http-keep-alive 65s
  timeout connect ${deadlines.connectMs}ms
  timeout server ${deadlines.attemptMs}ms
  timeout queue ${deadlines.totalMs}ms
  timeout check ${deadlines.probeTimeoutMs}ms

frontend residents
  bind ${address(port)} backlog 4096
  unique-id-format %{+X}o%ci%cp%fi%fp%Ts%rt%pid
  http-request set-header X-Request-Id %[unique-id]
  http-request set-header X-Forwarded-Proto http
  http-request disable-l7-retry if METH_POST
  default_backend federation

backend federation
  balance roundrobin
  option httpchk GET /healthz
  http-check expect status 200
  default-server check inter ${deadlines.probeEveryMs}ms fastinter 500ms downinter 1s rise 2 fall 3 observe layer7 error-limit 8 on-error mark-down pool-max-conn 256
  server xian-1 ${address(first)}
  server xian-2 ${address(second)}
  server xianyang-1 ${address(upstreams.neighbour)} backup
  server shaanxi-1 ${address(upstreams.province)} backup

frontend operators
  bind ${address(adminPort)}
  http-request use-service prometheus-exporter if { path /metrics }
`
}
