import { Connection } from '@temporalio/client'
import { expect, it, onTestFinished } from 'vitest'
import { NamespaceNotReadyError, prepareNamespace, prepareServer } from '#server/namespace'
import { newHome, start } from './homes.ts'

async function connectionToServer(): Promise<{ connection: Connection; address: string }> {
  const { address } = await start(await newHome())
  const connection = await Connection.connect({ address })
  onTestFinished(() => connection.close())
  return { connection, address }
}

/** The connection, but that one service refuses a call, as a managed server does. */
function refusing(connection: Connection, service: 'workflowService' | 'operatorService', method: string): Connection {
  const refuse = () => {
    throw Object.assign(new Error('7 PERMISSION_DENIED: no'), { code: 7, details: 'no', metadata: {} })
  }
  const refusingService = new Proxy(connection[service], {
    get: (target, name) => (name === method ? refuse : target[name as keyof typeof target]),
  })
  return new Proxy(connection, {
    get: (target, name) => (name === service ? refusingService : Reflect.get(target, name)),
  })
}

it('makes namespace and search attributes where they are missing', async () => {
  const { connection, address } = await connectionToServer()
  await prepareNamespace(connection, { address, namespace: 'team', enforceRetention: false })
  const query = "Pr = 1 AND WaitingOn = 'release managers'"
  await expect(connection.workflowService.countWorkflowExecutions({ namespace: 'team', query })).resolves.toBeDefined()
}, 60_000)

it('prints the commands where the namespace may not be made', async () => {
  const { connection, address } = await connectionToServer()
  const prepared = prepareNamespace(refusing(connection, 'workflowService', 'registerNamespace'), {
    address,
    namespace: 'team',
    enforceRetention: false,
  })
  const error = await prepared.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(NamespaceNotReadyError)
  expect((error as NamespaceNotReadyError).commands).toEqual([
    `temporal operator namespace create --address ${address} --namespace team --retention 90d`,
    expect.stringContaining(
      `temporal operator search-attribute create --address ${address} --namespace team --name Pipeline`,
    ),
  ])
})

it('prints the command where search attributes may not be made', async () => {
  const { connection, address } = await connectionToServer()
  const prepared = prepareNamespace(refusing(connection, 'operatorService', 'addSearchAttributes'), {
    address,
    namespace: 'team',
    enforceRetention: false,
  })
  await expect(prepared).rejects.toThrow(/temporal operator search-attribute create .* --name Deadline --type Datetime/)
})

it('needs no right to list search attributes where they can be used', async () => {
  const { connection, address } = await connectionToServer()
  const limited = refusing(connection, 'operatorService', 'listSearchAttributes')
  await prepareNamespace(limited, { address, namespace: 'switchyard', enforceRetention: false })
})

it('names the address where no server answers', async () => {
  const address = '127.0.0.1:1'
  const server = {
    kind: 'external',
    address,
    namespace: 'team',
    webUi: null,
    connection: { address },
    pid: null,
  } as const
  await expect(prepareServer(server)).rejects.toThrow(/no Temporal server answers at 127\.0\.0\.1:1/)
}, 30_000)
