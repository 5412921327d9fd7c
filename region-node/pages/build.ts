// Writes the bundled pages into a folder: `node region-node/pages/build.ts FOLDER`, as part of `npm run build`.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { bundlePages } from './bundle.ts'
import { fileNameOf } from './site-files.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('name the folder for the pages')
for (const [path, bytes] of await bundlePages()) {
  const file = join(folder, fileNameOf(path))
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, bytes)
}
