import { open, type FileHandle } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'

/** Read at once: what a process writes while nobody looks may be much. */
const CHUNK = 1024 * 1024

/** Reads what was written to a file since the last look; a file that became shorter is read from its start. */
export class FileTail {
  readonly #path: string
  #decoder = new StringDecoder('utf8')
  #offset: number

  constructor(path: string, offset = 0) {
    this.#path = path
    this.#offset = offset
  }

  /** Empty while there is nothing new, or no file. */
  async read(): Promise<string> {
    const file = await open(this.#path, 'r').catch(() => null)
    if (file === null) return ''
    try {
      return await this.#readFrom(file)
    } finally {
      await file.close()
    }
  }

  async #readFrom(file: FileHandle): Promise<string> {
    const { size } = await file.stat()
    if (size < this.#offset) {
      this.#offset = 0
      this.#decoder = new StringDecoder('utf8')
    }
    let text = ''
    while (this.#offset < size) {
      const buffer = Buffer.alloc(Math.min(CHUNK, size - this.#offset))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#offset)
      if (bytesRead === 0) break
      this.#offset += bytesRead
      text += this.#decoder.write(buffer.subarray(0, bytesRead))
    }
    return text
  }
}
