import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject, onTestFinished } from 'vitest'

/** Whether this machine has PostgreSQL; without it these tests are skipped, which the run says loudly. */
export const hasPostgres = inject('postgres') !== null

/** A new and empty database. */
export async function makeDatabase(options = ''): Promise<{ address: string; drop(): Promise<void> }> {
  const server = inject('postgres')
  if (server === null) throw new Error('there is no PostgreSQL here')
  const name = `test_${randomBytes(6).toString('hex')}`
  await query(`${server.url}/postgres`, `create database ${name} ${options}`)
  return {
    address: `${server.url}/${name}`,
    drop: async () => void (await query(`${server.url}/postgres`, `drop database ${name} with (force)`)),
  }
}

/** The address of one that is dropped when the test ends. */
export async function temporaryDatabase(options = ''): Promise<string> {
  const { address, drop } = await makeDatabase(options)
  onTestFinished(drop)
  return address
}

/** One statement, on a connection of its own. */
export async function query<Row>(address: string, statement: string): Promise<Row[]> {
  const client = new Client({ connectionString: address })
  await client.connect()
  try {
    return (await client.query(statement)).rows as Row[]
  } finally {
    await client.end()
  }
}
