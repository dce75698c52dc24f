import { oneLine } from '#domain/text'
import type { CommandContext, ExitCode } from '../context.ts'
import { relative } from '../output.ts'
import { selectRepository } from '../select.ts'
import { withInstallation } from '../session.ts'

const TEXT = 60

/** The answers that hold for the next time the same is asked. */
export async function run(context: CommandContext): Promise<ExitCode> {
  return await withInstallation(context, async (installation) => {
    const repo = context.flags.repo === undefined ? undefined : await selectRepository(context, installation)
    const answers = await installation.ledger.rememberedAnswers(repo === undefined ? {} : { repo })
    const { output, now } = context
    if (answers.length === 0) output.line('No answers are remembered.')
    else {
      output.table(
        ['id', 'question', 'answer', 'by', 'when', 'for'],
        answers.map((one) => [
          ...[one.id, oneLine(one.title, TEXT), oneLine(one.value, TEXT), one.by.join(', ')],
          ...[relative(one.at, now()), one.repo ?? 'every repository'],
        ]),
      )
    }
    output.document(answers)
    return 0
  })
}
