import type { CommandContext, ExitCode } from '../context.ts'
import { machineProbes, type Probe, type ProbeResult } from '../doctor/machine.ts'
import { installationProbes } from '../doctor/installation.ts'
import { toCliError } from '../errors.ts'
import type { Text } from '../output.ts'

type Finding = ProbeResult & { check: string }

/** `fail` is ✗: exit code 1, or 2 where it is the configuration. `warn` works, or will after `switchyard up`. */
export async function run(
  context: CommandContext,
  _input: object,
  probes: Probe[] = [...machineProbes, ...installationProbes],
): Promise<ExitCode> {
  const findings: Finding[] = []
  for (const { check, look } of probes) {
    const results = await look(context).catch(broken)
    for (const result of [results].flat()) {
      findings.push({ check, ...result })
      print(context, check, result)
    }
  }
  const failed = findings.filter(({ outcome }) => outcome === 'fail')
  context.output.document({ ok: failed.length === 0, checks: findings })
  if (failed.some(({ configuration }) => configuration)) return 2
  return failed.length === 0 ? 0 : 1
}

function broken(error: unknown): ProbeResult {
  const { message, hint, exitCode } = toCliError(error)
  return { outcome: 'fail', detail: message, hint, configuration: exitCode === 2 }
}

function print({ output }: CommandContext, check: string, { outcome, detail, hint }: ProbeResult): void {
  output.line(mark(outcome), ` ${check}  `, detail)
  if (outcome !== 'ok' && hint) output.line({ text: `    ${hint}`, style: 'dim' })
}

function mark(outcome: ProbeResult['outcome']): Text {
  switch (outcome) {
    case 'ok':
      return { text: '✓', style: 'green' }
    case 'warn':
      return { text: '!', style: 'yellow' }
    case 'fail':
      return { text: '✗', style: 'red' }
  }
}
