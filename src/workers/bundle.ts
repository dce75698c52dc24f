import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'

/** The workflows as one script for the sandbox. Takes about a second; share the result between workers. */
export async function bundleWorkflows(): Promise<{ code: string }> {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const workflowsPath = fileURLToPath(new URL(`../workflows/index${extension}`, import.meta.url))
  return bundleWorkflowCode({ workflowsPath, logger: silent })
}

const nothing = (): void => undefined
const silent = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }
