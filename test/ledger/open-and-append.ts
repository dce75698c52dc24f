import { auditEntry } from './entries.ts'
import { openAt } from './open.ts'

const [address = '', name = '', count = '1'] = process.argv.slice(2)
const ledger = await openAt(address)
for (let index = 0; index < Number(count); index += 1) await ledger.appendAudit(auditEntry({ key: `${name}:${index}` }))
console.log('appended')
await ledger.close()
