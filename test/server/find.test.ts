import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findServer } from '#server/find'
import { newHome, start } from './homes.ts'

it('finds none where nothing runs', async () => {
  const home = await newHome()
  expect(await findServer({ home, env: { HOME: home } })).toBeNull()
})

it('finds the embedded server that runs', async () => {
  const home = await newHome()
  const { address, pid } = await start(home)
  expect(await findServer({ home, env: { HOME: home } })).toMatchObject({ kind: 'embedded', address, pid })
})

it('finds none where the recorded one was killed', async () => {
  const home = await newHome()
  const server = await start(home)
  process.kill(server.pid, 'SIGKILL')
  await server.exited
  expect(await findServer({ home, env: { HOME: home } })).toBeNull()
})

it('takes TEMPORAL_ADDRESS before the embedded server', async () => {
  const home = await newHome()
  await start(home)
  const env = { HOME: home, TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_NAMESPACE: 'team' }
  const found = { kind: 'external', address: 'temporal.example:7233', namespace: 'team', webUi: null, pid: null }
  expect(await findServer({ home, env })).toMatchObject(found)
})

it('ignores TEMPORAL_ADDRESS on request', async () => {
  const home = await newHome()
  const env = { HOME: home, TEMPORAL_ADDRESS: 'temporal.example:7233' }
  expect(await findServer({ home, env, ignoreEnvironment: true })).toBeNull()
})

it('takes the server and the key of a profile', async () => {
  const home = await newHome()
  const file = join(home, 'temporal.toml')
  await writeFile(file, '[profile.team]\naddress = "cloud.example:7233"\nnamespace = "team.abc"\napi_key = "k"\n')
  const env = { HOME: home, TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'team' }
  const connection = { address: 'cloud.example:7233', apiKey: 'k', tls: true }
  expect(await findServer({ home, env })).toMatchObject({ kind: 'external', namespace: 'team.abc', connection })
})

it('takes the default profile of the configuration file in its usual place', async () => {
  const home = await newHome()
  const folder = process.platform === 'darwin' ? join(home, 'Library', 'Application Support') : join(home, '.config')
  await mkdir(join(folder, 'temporalio'), { recursive: true })
  await writeFile(join(folder, 'temporalio', 'temporal.toml'), '[profile.default]\naddress = "usual.example:7233"\n')
  expect(await findServer({ home, env: { HOME: home } })).toMatchObject({ address: 'usual.example:7233' })
})

it('refuses a profile that is not there', async () => {
  const home = await newHome()
  await expect(findServer({ home, env: { HOME: home, TEMPORAL_PROFILE: 'none' } })).rejects.toThrow(/TEMPORAL_PROFILE/)
})

it('refuses a configuration file that is not there', async () => {
  const home = await newHome()
  const env = { HOME: home, TEMPORAL_CONFIG_FILE: join(home, 'none.toml') }
  await expect(findServer({ home, env })).rejects.toThrow(/TEMPORAL_CONFIG_FILE/)
})
