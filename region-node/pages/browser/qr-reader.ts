// Reads a QR code from a picture or the camera: by the browser's own detector where it has one, else by ours.

interface NativeDetector {
  detect(source: ImageBitmapSource): Promise<readonly { readonly rawValue: string }[]>
}

declare global {
  // Not in every browser, and not in the library of types.
  var BarcodeDetector: (new (options: { formats: readonly string[] }) => NativeDetector) | undefined
}

/** More only costs time: a code has 77 modules a side. */
const widest = 1_280
const lookEveryMs = 150

/** @returns `null` where no code is to be seen. */
export async function readQr(source: ImageBitmap | HTMLVideoElement): Promise<string | null> {
  return (await byBrowser(source)) ?? byOurs(source)
}

export async function readPicture(file: Blob): Promise<string | null> {
  const picture = await createImageBitmap(file).catch(() => null)
  if (picture === null) return null
  try {
    return await readQr(picture)
  } finally {
    picture.close()
  }
}

/**
 * Looks through the camera until a code is seen or `signal` says stop.
 *
 * @throws {DOMException} when there is no camera, or it is not allowed.
 */
export async function readCamera(video: HTMLVideoElement, signal: AbortSignal): Promise<string | null> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
  try {
    video.srcObject = stream
    await video.play()
    while (!signal.aborted) {
      const found = await readQr(video)
      if (found !== null) return found
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
    }
    return null
  } finally {
    for (const track of stream.getTracks()) track.stop()
    video.srcObject = null
  }
}

async function byBrowser(source: ImageBitmap | HTMLVideoElement): Promise<string | null> {
  try {
    const Native = globalThis.BarcodeDetector
    if (Native === undefined) return null
    const [found] = await new Native({ formats: ['qr_code'] }).detect(source)
    return found?.rawValue ?? null
  } catch {
    // There by name, without the system's service behind it.
    return null
  }
}

async function byOurs(source: ImageBitmap | HTMLVideoElement): Promise<string | null> {
  const [width, height] =
    source instanceof HTMLVideoElement
      ? [source.videoWidth, source.videoHeight]
      : [source.width, source.height]
  if (width === 0 || height === 0) return null
  const scale = Math.min(1, widest / Math.max(width, height))
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale))
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (context === null) return null
  context.drawImage(source, 0, 0, canvas.width, canvas.height)
  const { decodeQR } = await import('qr/decode.js')
  try {
    return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height))
  } catch {
    return null
  }
}
