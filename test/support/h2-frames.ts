// HTTP/2 frame by frame (RFC 9113): for what no client library would send.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'

export const frameTypes = {
  data: 0x0,
  headers: 0x1,
  resetStream: 0x3,
  settings: 0x4,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const

export const flags = { none: 0, endStream: 0x1, endHeaders: 0x4 } as const

export function frame(type: number, flag: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flag, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const text = (value: string): Buffer => {
  const { length } = value
  // An integer with a prefix of seven bits (RFC 7541 section 5.1).
  const size = length < 127 ? [length] : [127, ((length - 127) & 127) | 128, (length - 127) >> 7]
  return Buffer.concat([Buffer.from(size), Buffer.from(value, 'latin1')])
}

/** `:method: GET`, `:scheme: https`, `:authority: a`, and `:path`, as HPACK (RFC 7541). */
export const getPath = (path: string): Buffer =>
  Buffer.concat([Buffer.from([0x82, 0x87, 0x41, 0x01, 0x61, 0x04]), text(path)])

/** One header that is not remembered. */
export const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0x00]), text(name), text(value)])

/** One header that the receiver shall remember as its newest. */
export const remembered = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0x40]), text(name), text(value)])

/** The newest remembered header, in one byte. */
export const newest = 0x80 | 62

export const uint32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => bytes.writeUInt32BE(value, i * 4))
  return bytes
}

export interface Setting {
  readonly id: number
  readonly value: number
}

export const initialWindowSize = 0x4

export const settings = (...all: Setting[]): Buffer => {
  const payload = Buffer.alloc(all.length * 6)
  all.forEach(({ id, value }, i) => {
    payload.writeUInt16BE(id, i * 6)
    payload.writeUInt32BE(value, i * 6 + 2)
  })
  return frame(frameTypes.settings, flags.none, 0, payload)
}

export interface Frame {
  readonly type: number
  readonly flag: number
  readonly stream: number
  readonly payload: Buffer
}

export interface Attacker extends Disposable {
  readonly socket: TLSSocket
  readonly received: readonly Frame[]
  /** The gateway has ended the connection. */
  readonly ended: Promise<void>
  of(type: number): Frame[]
  send(...frames: readonly Buffer[]): void
}

/** Connects and says what every client says first. It never answers a SETTINGS or a PING by itself. */
export async function attacker(port: number, ...first: Setting[]): Promise<Attacker> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] })
  socket.on('error', () => {})
  const received: Frame[] = []
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3)
      const [type, flag] = [rest.readUInt8(3), rest.readUInt8(4)]
      received.push({ type, flag, stream: rest.readUInt32BE(5), payload: rest.subarray(9, end) })
      rest = rest.subarray(end)
    }
  })
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await once(socket, 'secureConnect')
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings(...first)]))
  return {
    socket,
    received,
    ended,
    of: (type) => received.filter((one) => one.type === type),
    send(...frames) {
      if (socket.writable) socket.write(Buffer.concat(frames))
    },
    [Symbol.dispose]: () => socket.destroy(),
  }
}
