import { connect, createServer } from 'node:net'

export const LOOPBACK = '127.0.0.1'

/** Every port that the embedded server opens by a number of ours; it opens two more on loopback for itself. */
export type ServerPorts = { grpc: number; http: number; metrics: number; ui: number }

const NAMES = ['grpc', 'http', 'metrics', 'ui'] as const

/** The wanted ports where they are free, else any free ones, all different. */
export async function choosePorts(wanted: Partial<ServerPorts>): Promise<ServerPorts> {
  const held: { port: number; release(): Promise<void> }[] = []
  try {
    const chosen: Partial<ServerPorts> = {}
    for (const name of NAMES) {
      const place = (await hold(wanted[name] ?? 0)) ?? (await hold(0))
      if (place === null) throw new Error(`no free port on ${LOOPBACK}`)
      held.push(place)
      chosen[name] = place.port
    }
    return chosen as ServerPorts
  } finally {
    await Promise.all(held.map((place) => place.release()))
  }
}

export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port })
    const answer = (accepted: boolean) => {
      socket.destroy()
      resolve(accepted)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
    socket.setTimeout(1_000, () => answer(false))
  })
}

function hold(port: number): Promise<{ port: number; release(): Promise<void> } | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => {
      const address = server.address() as { port: number }
      resolve({ port: address.port, release: () => new Promise((done) => server.close(() => done())) })
    })
  })
}
