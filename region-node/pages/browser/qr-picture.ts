// Draws a code as a QR picture.
import { encodeQR } from 'qr'
import { drawing } from './shapes.ts'

/** Of four modules, as ISO/IEC 18004 wants it, so that a reader finds the edge. */
const quietZone = 4

/** Low correction: a screen has no stains, and larger modules are read from further away. */
export function qrPicture(text: string): SVGElement {
  const rows = encodeQR(text, 'raw', { ecc: 'low', border: quietZone })
  const picture = drawing(rows.length, rows.map(runsOf).join(''))
  picture.setAttribute('shape-rendering', 'crispEdges')
  return picture
}

/** One rectangle for each run of dark modules: a tenth of the elements that one a module would be. */
function runsOf(row: readonly boolean[], y: number): string {
  let path = ''
  for (let x = 0; x < row.length; x += 1) {
    if (!row[x]) continue
    let end = x
    while (row[end]) end += 1
    path += `M${x} ${y}h${end - x}v1h${x - end}Z`
    x = end
  }
  return path
}
