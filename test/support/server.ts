import { Client, Connection } from '@temporalio/client'
import { inject } from 'vitest'

export type TestServer = {
  address: string
  namespace: string
  /** The code of every workflow in src/workflows, for `workflowBundle: { codePath }`. */
  readonly bundlePath: string
  /** A client on a connection of its own: close it with `client.connection.close()`. */
  newClient(): Promise<Client>
}

/** The server that the tests of this run share. Tests keep apart by task queue and workflow id. */
export function testServer(): TestServer {
  const { address, namespace, bundle } = inject('temporal')
  return {
    address,
    namespace,
    get bundlePath() {
      if ('problem' in bundle) throw new Error(`the workflows could not be bundled: ${bundle.problem}`)
      return bundle.path
    },
    newClient: async () => new Client({ connection: await Connection.connect({ address }), namespace }),
  }
}
