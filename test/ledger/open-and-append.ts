import { openLedger } from '#ledger/sqlite'
import { auditEntry } from './entries.ts'

const [path = '', name = '', count = '1'] = process.argv.slice(2)
const ledger = await openLedger(path)
for (let index = 0; index < Number(count); index += 1) await ledger.appendAudit(auditEntry({ key: `${name}:${index}` }))
console.log('appended')
await ledger.close()
