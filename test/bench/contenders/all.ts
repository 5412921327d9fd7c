// Who takes part, in the order of the tables.
import { bare } from './bare.ts'
import { caddy } from './caddy.ts'
import { chiyuan } from './chiyuan.ts'
import type { Contender } from './contender.ts'
import { haproxy } from './haproxy.ts'
import { naive } from './naive.ts'
import { nginx } from './nginx.ts'
import { nginxTold } from './nginx-told.ts'

export const contenders: readonly Contender[] = [chiyuan, naive, nginx, haproxy, nginxTold, caddy, bare]
