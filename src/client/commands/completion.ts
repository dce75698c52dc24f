import { findInstallation } from '#config/load'
import type { Installation } from '#installation/installation'
import { listClarifications, shortIds } from '../clarifications.ts'
import { createProgram } from '../cli.ts'
import { complete, type Candidate, type Values } from '../completion.ts'
import type { CommandContext, ExitCode, GlobalFlags } from '../context.ts'
import { selectRepository } from '../select.ts'
import { withInstallation, withServer } from '../session.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

/**
 * Prints what a shell is to load; what that asks on each TAB is this command again, with the words of the line behind
 * `--`. One process each time, and in return the grammar and the open PRs are those of now.
 */
export async function run(context: CommandContext, { shell, words }: Completion): Promise<ExitCode> {
  const { output } = context
  if (words.length === 0) {
    output.block(scripts[shell])
    output.document({ shell, script: scripts[shell] })
    return 0
  }
  const program = createProgram({ stdout: context.stdout }, async () => {})
  const flags = { ...context.flags, ...flagsIn(words) }
  const candidates = await complete(program, words, valuesOf({ ...context, flags }))
  if (candidates.length > 0) output.block(candidates.map(({ word, summary }) => `${word}\t${summary}`).join('\n'))
  output.document(candidates)
  return 0
}

export type Completion = { shell: Shell; words: string[] }

function valuesOf(context: CommandContext): Values {
  return {
    pr: () =>
      looked(context, async (installation) => {
        const repo = await selectRepository(context, installation)
        const open = await installation.forge.listPullRequests(repo, { state: 'open' })
        return open.map(({ number, title }) => ({ word: String(number), summary: oneLine(title) }))
      }),
    question: () =>
      looked(context, (installation) =>
        withServer(context, installation, async (connected) => {
          const rows = (await listClarifications(connected)).map(({ row }) => row)
          const short = shortIds(rows.map(({ id }) => id))
          return rows.map(({ id, title }) => ({ word: short(id), summary: oneLine(title) }))
        }),
      ),
    answer: () =>
      looked(context, async ({ ledger }) =>
        (await ledger.rememberedAnswers({})).map(({ id, title }) => ({ word: id, summary: oneLine(title) })),
      ),
    repo: () =>
      looked(context, async ({ config }) =>
        config.repositories.map(({ name, remote }) => ({ word: name, summary: remote })),
      ),
  }
}

/** A line is completed wherever it is written: without an installation there are no values, and none is made. */
async function looked(
  context: CommandContext,
  look: (installation: Installation) => Promise<Candidate[]>,
): Promise<Candidate[]> {
  try {
    const { file } = await findInstallation({ ...context, configFlag: context.flags.config })
    return file === null ? [] : await withInstallation(context, look)
  } catch {
    return []
  }
}

/** Those of the line that is written, which decide what its values are. */
function flagsIn(words: string[]): Partial<GlobalFlags> {
  const behind = (flag: string) => words.slice(0, -1)[words.indexOf(flag) + 1]
  const [repo, config] = ['--repo', '--config'].map((flag) => (words.includes(flag) ? behind(flag) : undefined))
  return { ...(repo === undefined ? {} : { repo }), ...(config === undefined ? {} : { config }) }
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ')

/** Where Switchyard has nothing to offer the shell offers files. */
const scripts: Record<Shell, string> = {
  bash: `_switchyard() {
  local word
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    [ -n "$word" ] && COMPREPLY+=("$word")
  done < <(switchyard completion bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _switchyard switchyard
`,
  zsh: `#compdef switchyard
_switchyard() {
  local word summary
  local -a found
  while IFS=$'\\t' read -r word summary; do
    [ -n "$word" ] && found+=("\${word//:/\\\\:}:$summary")
  done < <(switchyard completion zsh -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe switchyard found; else _files; fi
}
compdef _switchyard switchyard
`,
  fish: `function __switchyard
  set -l words (commandline -opc) (commandline -ct)
  switchyard completion fish -- $words[2..-1] 2>/dev/null
end
complete -c switchyard -a '(__switchyard)'
`,
}
