// Downloads the Temporal CLI through the SDK to the path given, by starting its server once.
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { TEMPORAL_CLI_VERSION } from './provision.mjs'

const target = process.argv[2]
const folder = await mkdtemp(join(tmpdir(), 'switchyard-download-'))
try {
  const executable = { type: 'cached-download', version: `v${TEMPORAL_CLI_VERSION}`, downloadDir: folder }
  const server = await TestWorkflowEnvironment.createLocal({ server: { executable } })
  await server.teardown()
  const [name] = (await readdir(folder)).filter((entry) => entry.startsWith('temporal'))
  await copyFile(join(folder, name), target)
} finally {
  await rm(folder, { recursive: true, force: true })
}
