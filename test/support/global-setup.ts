import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { bundleWorkflows } from '#workers/bundle'
import { startEmbeddedServer } from '#server/embedded'

declare module 'vitest' {
  export interface ProvidedContext {
    temporal: { address: string; namespace: string; bundle: { path: string } | { problem: string } }
  }
}

/** One Temporal server and one workflow bundle for every test that needs them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(tmpdir(), 'switchyard-test-server-'))
  try {
    const [server, bundle] = await Promise.all([
      startEmbeddedServer({ home, synchronous: 'normal', endsWithParent: true }),
      bundled(join(home, 'workflows.js')),
    ])
    project.provide('temporal', { address: server.address, namespace: server.namespace, bundle })
    return async () => {
      await server.stop()
      await rm(home, { recursive: true, force: true })
    }
  } catch (error) {
    await rm(home, { recursive: true, force: true })
    throw error
  }
}

/** A bundle that can't be made fails only the tests that ask for it. */
async function bundled(path: string): Promise<{ path: string } | { problem: string }> {
  try {
    const bundle = await bundleWorkflows()
    if ('codePath' in bundle) return { path: bundle.codePath }
    await writeFile(path, bundle.code)
    return { path }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}
