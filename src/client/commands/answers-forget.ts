import type { Ledger, RememberedAnswer } from '#ledger/port'
import type { CommandContext, ExitCode } from '../context.ts'
import { CliError } from '../errors.ts'
import { nearest, selectActor } from '../select.ts'
import { withInstallation } from '../session.ts'

/** Digits of a beginning: fewer are a slip. */
const SHORTEST = 6

/** The next time the same is asked, people are. */
export async function run(context: CommandContext, { id, as }: { id: string; as?: string }): Promise<ExitCode> {
  return await withInstallation(context, async ({ ledger }) => {
    const actor = await selectActor(context, as)
    const answer = await findAnswer(ledger, id)
    if (!(await ledger.forgetAnswer(answer.id))) throw unknown(id, [])
    const at = context.now().toISOString()
    const { clarification, title, value, scope } = answer
    await ledger.appendAudit({
      ...{ key: `clarification.forgotten:${answer.id}:${at}`, at, actor, action: 'clarification.forgotten' },
      ...{ repo: answer.repo ?? '', number: null, snapshotId: null, details: { clarification, title, value, scope } },
    })
    context.output.line(`Forgotten: ${title}  ${value}`)
    context.output.document(answer)
    return 0
  })
}

/** By its id or an unambiguous beginning of it. */
async function findAnswer(ledger: Ledger, text: string): Promise<RememberedAnswer> {
  const answers = await ledger.rememberedAnswers({})
  const wanted = text.trim().toLowerCase()
  const found = wanted.length < SHORTEST ? [] : answers.filter(({ id }) => id.startsWith(wanted))
  if (found.length === 1) return found[0]!
  const ids = (found.length > 1 ? found : answers).map(({ id }) => id)
  throw unknown(text, ids, found.length > 1)
}

function unknown(text: string, ids: string[], isAmbiguous = false): CliError {
  const message = isAmbiguous
    ? `${JSON.stringify(text)} is the beginning of more than one id.`
    : `There is no remembered answer ${JSON.stringify(text)}.`
  const hint = isAmbiguous ? `Give one of ${ids.join(', ')}.` : (nearest(text, ids) ?? 'See `switchyard answers list`.')
  return new CliError(2, isAmbiguous ? 'ambiguous' : 'unknown-answer', message, { details: { id: text }, hint })
}
