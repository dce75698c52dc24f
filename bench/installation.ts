import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installationFileName } from '#config/installation-file'
import { startRunning, type Running } from '#client/supervisor/running'
import { connect } from '#installation/connect'
import type { Connected, Installation } from '#installation/installation'
import { openInstallation } from '#installation/open'
import { workerProcesses } from '#workers/roles'
import { copyTemplate, createTemplate, type Template } from './template.ts'

export type Bench = { installation: Installation; connected: Connected; running: Running }

/** A real installation: embedded server, local forge, the worker processes that `up` starts. */
export async function withInstallation<T>(
  home: string,
  repositories: { name: string; gitDir: string }[],
  say: (line: string) => void,
  work: (bench: Bench) => Promise<T>,
  { workers = workerProcesses }: { workers?: typeof workerProcesses } = {},
): Promise<T> {
  await mkdir(home, { recursive: true })
  const configFile = join(home, installationFileName)
  await writeFile(configFile, configOf(repositories))
  const env = { ...process.env, SWITCHYARD_HOME: home }
  const installation = await openInstallation({ cwd: home, env })
  try {
    const onEvent = (event: { kind: string; name: string }) => {
      if (event.kind !== 'started') say(`worker ${event.name}: ${event.kind}`)
    }
    const running = await startRunning({
      home,
      configFile,
      env,
      workers,
      serverEndsWithUs: true,
      say,
      onEvent,
    })
    try {
      const connected = await connect(installation, { env })
      try {
        return await work({ installation, connected, running })
      } finally {
        await connected.close()
      }
    } finally {
      await running.stop()
    }
  } finally {
    await installation.close()
  }
}

/** An installation with one repository, `shop`, of as many changes. */
export async function withShop<T>(
  { folder, say }: { folder: string; say: (line: string) => void },
  options: Parameters<typeof createTemplate>[1],
  work: (bench: Bench, shop: { template: Template; home: string }) => Promise<T>,
  workers = workerProcesses,
): Promise<T> {
  const template = await createTemplate(join(folder, 'template.git'), options)
  const home = join(folder, 'home')
  const gitDir = join(home, 'forge', 'shop.git')
  await copyTemplate(template, gitDir)
  return withInstallation(home, [{ name: 'shop', gitDir }], say, (bench) => work(bench, { template, home }), {
    workers,
  })
}

/** Everything as it is by default, but for the isolation: the test of the gate reads a file outside its checkout. */
function configOf(repositories: { name: string; gitDir: string }[]): string {
  const entries = repositories.map(({ name, gitDir }) => ({ name, remote: gitDir }))
  return JSON.stringify({ forge: 'local', isolation: 'none', repositories: entries })
}
