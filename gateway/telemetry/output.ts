// Standard output as the log's way out. It may break or stand still at any time, and residents are served all the same.

/** Lines kept for a reader who does not read, bytes. Those beyond are dropped: memory is the residents'. */
const mostWaiting = 1_048_576

const ignore = (): void => {}

/** Whoever reads our output may go away. Without a listener for that, the next line would end the process. */
export function outliveReaders(): void {
  for (const output of [process.stdout, process.stderr]) {
    if (!output.listeners('error').includes(ignore)) output.on('error', ignore)
  }
}

export function writeLine(line: string): void {
  if (process.stdout.writableLength < mostWaiting) process.stdout.write(line)
}
