// Caddy's reverse_proxy with active and passive health, retries, and an answer of 5xx asked again elsewhere.
import { deadlines } from '../federation.ts'
import { findProgram } from '../machine.ts'
import { address, type Contender, installedVersion, type Place } from './contender.ts'

export const caddy: Contender = {
  name: 'caddy',
  title: 'Caddy',
  parts: ['cpu', 'faults'],
  proxies: true,
  version: () => installedVersion('caddy', 'version'),
  launch: (place) => ({
    file: findProgram('caddy') ?? 'caddy',
    args: ['run', '--adapter', 'caddyfile', '--config', `${place.folder}/Caddyfile`],
    env: {
      GOMAXPROCS: '1',
      HOME: place.folder,
      XDG_DATA_HOME: place.folder,
      XDG_CONFIG_HOME: place.folder,
    },
    files: { Caddyfile: configuration(place) },
  }),
}

/**
 * - `lb_policy first` is its only way to prefer the nearest, so the second local node serves only when the first
 *   is out.
 * - It repeats what could not be connected, and GETs, until `lb_try_duration`; an answer of 5xx is not an error to
 *   it, so `handle_response` asks the lenders for GETs, as its documentation shows.
 * - There is no deadline for a body; `response_header_timeout` is that of a try.
 * - No access log and no metrics of requests: both would cost it CPU.
 */
const configuration = ({ port, upstreams }: Place): string => {
  const [first, second] = upstreams.local
  const lenders = [upstreams.neighbour, upstreams.province].map(address).join(' ')
  const health = `
    health_uri /healthz
    health_interval ${deadlines.probeEveryMs}ms
    health_timeout ${deadlines.probeTimeoutMs}ms
    health_status 2xx
    fail_duration ${deadlines.ejectedMs}ms
    max_fails 3
    unhealthy_status 5xx 429
    lb_policy first
    lb_try_duration ${deadlines.totalMs}ms
    lb_try_interval 10ms
    transport http {
      dial_timeout ${deadlines.connectMs}ms
      response_header_timeout ${deadlines.attemptMs}ms
      compression off
      keepalive 60s
      keepalive_idle_conns 1024
      keepalive_idle_conns_per_host 256
    }`
  return `
{
  admin off
  auto_https off
  log {
    level ERROR
  }
  servers {
    protocols h1
    timeouts {
      idle 65s
    }
  }
}

http://${address(port)} {
  bind 127.0.0.1
  reverse_proxy ${address(first)} ${address(second)} ${lenders} {${health}
    @failed status 5xx 429
    handle_response @failed {
      @repeatable method GET HEAD
      handle @repeatable {
        reverse_proxy ${lenders} {${health}
        }
      }
      handle {
        copy_response
      }
    }
  }
}
`
}
