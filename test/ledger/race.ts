import { createLocalRecords } from '#activities/forge/local-records'
import { auditEntry, decision, minute, openedRecord } from './entries.ts'
import { openAt } from './open.ts'

/** Does what several processes do to one ledger at the same time, and tells how it ended for this one. */
const [address = '', name = '', count = '1'] = process.argv.slice(2)
const ledger = await openAt(address)
const records = createLocalRecords(ledger.tables)
const order = 'abcd'.indexOf(name) + 1

const entry = (key: string) => auditEntry({ key, action: 'race' })
const created: number[] = []
const existing: number[] = []
const taken: string[] = []
let wins = 0

async function insert(head: string): Promise<void> {
  const answer = await records.insert(openedRecord('shop', head), ({ number }) =>
    auditEntry({ key: `created:${number}` }),
  )
  if ('number' in answer) created.push(answer.number)
  else existing.push(answer.existing)
}

for (let index = 0; index < Number(count); index += 1) {
  await Promise.all([
    insert(`${name}-${index}`),
    insert(`shared-${index}`),
    ledger.appendAudit(entry(`${name}:${index}`)),
    ledger.appendAudit(entry(`shared:${index}`)),
    records.addHints('shop', [{ id: `${name}:${index}`, kind: 'push', number: null, ref: 'main' }]),
    ledger.saveDecision(decision({ decidedAt: `2026-01-01T00:00:00.${100 * order + 90 + index}Z` })),
    records.takeHints('shop', 3).then((hints) => taken.push(...hints.map(({ id }) => id))),
  ])
}
await ledger.saveDecision(decision({ decidedAt: `2026-01-01T00:00:00.${100 * order + 99}Z` }))
for (let number = 1; number <= Number(count); number += 1) {
  const changes = { state: 'closed', updatedAt: minute(1) } as const
  if (await records.update('race', number, ['open'], changes, [], [])) wins += 1
}
console.log(JSON.stringify({ created, existing, taken, wins }))
await ledger.close()
