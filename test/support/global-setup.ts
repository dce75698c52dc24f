import { bundleWorkflowCode } from '@temporalio/worker'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { payloadConverterPath } from '#workers/bundle'
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
      bundleWorkflows(join(home, 'workflows.js')),
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
async function bundleWorkflows(path: string): Promise<{ path: string } | { problem: string }> {
  const workflowsPath = fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url))
  if (!existsSync(workflowsPath)) return { problem: 'there is no src/workflows/index.ts' }
  try {
    const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error }
    const { code } = await bundleWorkflowCode({ workflowsPath, payloadConverterPath, logger: quiet })
    await writeFile(path, code)
    return { path }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}
