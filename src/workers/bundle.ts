import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'

/** Of every bundle of workflows. */
export const payloadConverterPath = fileURLToPath(new URL('../contracts/payload-converter.ts', import.meta.url))

/**
 * The workflows as one script for the sandbox. The package brings it along; a clone makes it in about a second, so
 * share the result between workers.
 */
export async function bundleWorkflows(): Promise<{ code: string } | { codePath: string }> {
  const ready = fileURLToPath(new URL('../workflows/bundle.js', import.meta.url))
  if (existsSync(ready)) return { codePath: ready }
  const workflowsPath = fileURLToPath(new URL('../workflows/index.ts', import.meta.url))
  return bundleWorkflowCode({ workflowsPath, payloadConverterPath, logger: silent })
}

const nothing = (): void => undefined
const silent = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }
