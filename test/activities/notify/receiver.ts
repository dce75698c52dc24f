import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Fault } from './contract.ts'

export type Request = { method: string; path: string; headers: IncomingHttpHeaders; body: string }

/** A web server that takes what comes, and can be told to do it badly. */
export type Receiver = {
  /** Of its root, on this machine. */
  url: string
  /** What it took. */
  taken: Request[]
  /** What it was asked at all. */
  asked: number
  meet(fault: Fault | null): Promise<void>
  /** Answers in another way than any fault. */
  answer(how: ((response: ServerResponse) => void) | null): void
  close(): Promise<void>
}

const statuses: Partial<Record<Fault, number>> = { busy: 503, limited: 429, refuses: 404 }

export async function openReceiver(): Promise<Receiver> {
  let fault: Fault | null = null
  let own: ((response: ServerResponse) => void) | null = null
  const server = createServer((request, response) => {
    receiver.asked += 1
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const status = fault === null ? 200 : statuses[fault]
      const { method = '', url = '', headers } = request
      const took = own === null && (status === 200 || fault === 'lost')
      if (took) receiver.taken.push({ method, path: url, headers, body: Buffer.concat(chunks).toString() })
      if (own) own(response)
      else if (fault === 'lost') request.socket.destroy()
      else if (status !== undefined) response.writeHead(status).end('ok')
    })
  })
  const stop = () =>
    new Promise<void>((done) => {
      server.close(() => done())
      server.closeAllConnections()
    })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: [],
    asked: 0,
    async meet(next) {
      fault = next
      if (next === 'down') await stop()
    },
    answer: (how) => void (own = how),
    close: stop,
  }
  return receiver
}

/** Every text inside a JSON document. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}
