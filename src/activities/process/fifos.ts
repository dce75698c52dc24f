import { closeSync, constants, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'

export type Fifo = {
  /** A descriptor to write to. Whoever opened it closes it. */
  input: number
  output: Readable
}

/** Opens both ends and removes the name: from now on it is a pipe. */
export function openFifo(path: string): Fifo {
  // The end to read first, and at once: each end waits for the other otherwise.
  const end = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  let input: number
  try {
    input = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    closeSync(end)
    throw error
  }
  rmSync(path)
  const output = new Socket({ fd: end, readable: true, writable: false })
  output.on('error', () => {})
  return { input, output }
}
