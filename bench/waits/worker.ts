/** The process `merge` of an installation, which also has the workflows of this benchmark; argument: their bundle. */
import { openInstallation } from '#installation/open'
import { workerProcess } from '#workers/main'
import { rowAction, type StepActivities } from './contract.ts'

const { env } = process
const cwd = process.cwd()
const { ledger, close } = await openInstallation({ cwd, env })

const steps: StepActivities = {
  startStep: async () => Date.now(),
  writeRow: async ({ key, value }) =>
    ledger.appendAudit({
      ...{ key, at: new Date().toISOString(), actor: 'bench', action: rowAction, repo: 'shop', number: null },
      ...{ snapshotId: null, details: { value } },
    }),
}

await workerProcess(
  { cwd, env, roles: ['merge', 'decision'], bundle: { codePath: process.argv[2]! } },
  { activities: (activities) => ({ ...activities, ...steps }) },
)
await close()
