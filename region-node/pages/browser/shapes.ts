// The shapes that stand beside each colour, so that no one needs to see colours to read a code.
import type { Colour } from './code-answer.ts'

/** What a page shows at a glance: a colour, a paper of unknown colour, that there is none, that a code is refused. */
export type Look = Colour | 'paper' | 'none' | 'refused' | 'waiting'

/** In a box of 48: a disc with a tick, a triangle with a mark, an octagon with a cross, a sheet with lines, and so on. */
const drawings: Record<Look, string> = {
  green: 'M24 2a22 22 0 1 0 0 44 22 22 0 0 0 0-44Zm-3 32.5-10-10 4-4 6 6 12.5-12.5 4 4Z',
  yellow:
    'M24 3 46 44H2Zm-2.5 14 .8 14h3.4l.8-14Zm2.5 16.500a2.600 2.600 0 1 0 0 5.200 2.600 2.600 0 0 0 0-5.200Z',
  red: 'M15 2h18l13 13v18L33 46H15L2 33V15Zm1.500 10.500-4 4L20 24l-7.500 7.500 4 4L24 28l7.500 7.500 4-4L28 24l7.500-7.500-4-4L24 20Z',
  refused: 'M5 5h38v38H5Zm10 7-3 3 9 9-9 9 3 3 9-9 9 9 3-3-9-9 9-9-3-3-9 9Z',
  paper: 'M9 2h21l9 9v35H9Zm20 4v6h6Zm-14 14v3h18v-3Zm0 7v3h18v-3Zm0 7v3h11v-3Z',
  none: 'M24 1 47 24 24 47 1 24Zm-2 27h4v-3c4-1 7-4 7-8a9 9 0 0 0-18 0h4a5 5 0 1 1 7 4.500c-3 1-4 2.500-4 4.500Zm2 3a2.600 2.600 0 1 0 0 5.200 2.600 2.600 0 0 0 0-5.200Z',
  waiting:
    'M8 20a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm16 0a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm16 0a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z',
}

const namespace = 'http://www.w3.org/2000/svg'

export const shapeOf = (look: Look): SVGElement => drawing(48, drawings[look])

/** A picture of one path, in the colour of the text around it. */
export function drawing(size: number, path: string): SVGElement {
  const svg = document.createElementNS(namespace, 'svg')
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`)
  svg.setAttribute('aria-hidden', 'true')
  svg.setAttribute('focusable', 'false')
  const shape = document.createElementNS(namespace, 'path')
  shape.setAttribute('d', path)
  shape.setAttribute('fill', 'currentColor')
  shape.setAttribute('fill-rule', 'evenodd')
  svg.append(shape)
  return svg
}
