import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PullRequestStatus } from '#contracts/pull-request'
import { connect, serverVariable } from '#installation/connect'
import type { Connected, Installation } from '#installation/installation'
import { openInstallation } from '#installation/open'
import { workerProcesses } from '#workers/roles'
import type { CommandContext, ExitCode } from '../context.ts'
import { answerQuestion } from '../demo/answer.ts'
import { followAll } from '../demo/follow.ts'
import { killWhileTesting } from '../demo/kill-worker.ts'
import { createSample, demoPullRequests } from '../demo/sample.ts'
import { CliError } from '../errors.ts'
import { createOutput } from '../output.ts'
import { startRunning, type Running } from '../supervisor/running.ts'
import { userGit } from '../user-git.ts'
import { run as answer } from './answer.ts'
import { run as init } from './init.ts'
import { run as up } from './up.ts'

const REPO = 'shop'
const AUTHOR = 'dana@example.org'
const APPROVER = 'lea@example.org'

type Demo = { context: CommandContext; folder: string; home: string; sample: string; env: NodeJS.ProcessEnv }

/** `demo`: seven PRs through a real server, real git and real workers, one of which is killed; a person is asked once. */
export async function run(context: CommandContext, { keep }: { keep?: boolean }): Promise<ExitCode> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-demo-')))
  const home = join(folder, 'home')
  const env = demoEnvironment(context.env, folder, home)
  const demo: Demo = { context: { ...context, env }, folder, home, sample: join(folder, 'shop'), env }
  let kept = false
  try {
    const code = await show(demo)
    if (keep) {
      await leaveUp(demo)
      kept = true
    }
    return code
  } finally {
    if (!kept) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Nothing of the user's: own home, own git configuration, the embedded server whatever TEMPORAL_* says. */
function demoEnvironment(env: NodeJS.ProcessEnv, folder: string, home: string): NodeJS.ProcessEnv {
  const foreign = /^(TEMPORAL_|GIT_|SWITCHYARD_(HOME|CONFIG|USER)$)/
  const own = Object.entries(env).filter(([name]) => !foreign.test(name))
  return {
    ...Object.fromEntries(own),
    GIT_CONFIG_GLOBAL: join(folder, 'gitconfig'),
    GIT_CONFIG_NOSYSTEM: '1',
    SWITCHYARD_HOME: home,
    SWITCHYARD_USER: AUTHOR,
    [serverVariable]: 'embedded',
  }
}

async function show(demo: Demo): Promise<ExitCode> {
  const { context, home, sample, env } = demo
  const { output, signal } = context
  output.note('making a sample repository with tests and seven branches …')
  await writeFile(join(demo.folder, 'gitconfig'), '')
  await createSample(sample, env)
  await quietly({ ...context, cwd: sample }, init, { name: REPO, base: 'main' })
  const installation = await openInstallation({ cwd: sample, env })
  try {
    const running = await startRunning({
      home,
      configFile: null,
      env,
      workers: workerProcesses,
      serverEndsWithUs: true,
      say: (line) => output.note(line),
      onEvent: (event) => {
        if (event.kind === 'restarted')
          output.note({ text: `worker ${event.name} is running again (process ${event.pid})`, style: 'green' })
      },
    })
    try {
      const connected = await connect(installation, { env })
      try {
        return await landSeven(demo, installation, connected, running, signal)
      } finally {
        await connected.close()
      }
    } finally {
      await running.stop()
    }
  } finally {
    await installation.close()
  }
}

async function landSeven(
  { context, sample, env }: Demo,
  installation: Installation,
  connected: Connected,
  running: Running,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { output } = context
  for (const { branch } of demoPullRequests) await push(sample, env, branch)
  const numbers: number[] = []
  for (const { branch, title, draft } of demoPullRequests) {
    const input = { head: branch, base: 'main', title, body: '', author: AUTHOR, draft: draft === true, labels: [] }
    const created = await installation.forge.createPullRequest(REPO, input)
    if (created.outcome === 'refused') throw new CliError(1, 'demo', `${branch}: ${created.detail}`)
    const { number } = created.pullRequest
    numbers.push(number)
    await connected.pipelines.lookAtPullRequest(REPO, number, { id: `demo:${number}`, kind: 'pull-request' })
    if (number === 1) {
      const pid = await killWhileTesting(connected, running.workers, { repo: REPO, number }, signal)
      output.note({ text: `kill -9 ${pid}: the worker that was running the tests of #1 is dead`, style: 'red' })
    }
  }
  const statuses = await followAll(context, connected, REPO, numbers, signal)
  for (const [index, number] of numbers.entries()) {
    if (!demoPullRequests[index]!.asks) continue
    await answerQuestion(context, connected, { repo: REPO, number, by: APPROVER }, (id) =>
      quietly({ ...context, cwd: sample }, answer, { id, value: 'approve', as: APPROVER }),
    )
    for (const [, status] of await followAll(context, connected, REPO, [number], signal)) statuses.set(number, status)
  }
  return report(context, installation, connected, statuses)
}

async function report(
  context: CommandContext,
  installation: Installation,
  connected: Connected,
  statuses: Map<number, PullRequestStatus>,
): Promise<ExitCode> {
  const { output } = context
  const rows = [...statuses.values()].map((status, index) => ({
    status,
    expected: demoPullRequests[index]!,
    reason: reasonOf(status),
  }))
  output.line('')
  output.table(
    ['PR', 'Title', 'Outcome', 'Reason', 'Landed as'],
    rows.map(({ status, reason }) => [
      `#${status.number}`,
      status.title,
      status.phase,
      reason,
      status.merged?.sha.slice(0, 10) ?? '',
    ]),
  )
  const base = installation.repository(REPO)
  const tip = await base.resolve('refs/heads/main')
  output.line('')
  output.line({ text: 'git log main', style: 'bold' })
  for (const { sha, subject } of await commitsTo(base, tip!)) output.line(`  ${sha.slice(0, 10)} ${subject}`)
  output.line('')
  output.line({ text: 'Runs in the Temporal Web UI', style: 'bold' }, ' (while the server runs; --keep leaves it up)')
  for (const { status } of rows)
    output.line(`  #${status.number} ${connected.webUrl(`pr:${REPO}#${status.number}`) ?? ''}`)
  const surprises = rows.filter(({ status, expected }) => status.phase !== expected.expected)
  for (const { status, expected } of surprises) {
    output.note({
      text: `#${status.number} should be ${expected.expected} (${expected.why}), but is ${status.phase}`,
      style: 'red',
    })
  }
  output.document(
    rows.map(({ status, reason }) => ({
      number: status.number,
      title: status.title,
      outcome: status.phase,
      reason,
      merged: status.merged,
    })),
  )
  return surprises.length === 0 ? 0 : 1
}

function reasonOf(status: PullRequestStatus): string {
  if (status.merged) return 'tested, then landed by compare-and-swap'
  const open =
    status.decision?.rules.find((rule) => rule.outcome === 'fail') ??
    status.decision?.rules.find((rule) => rule.outcome !== 'pass')
  return open ? `${open.rule}: ${open.reason}`.slice(0, 90) : (status.waiting?.for ?? '')
}

async function commitsTo(
  git: ReturnType<Installation['repository']>,
  tip: string,
): Promise<{ sha: string; subject: string }[]> {
  const log: { sha: string; subject: string }[] = []
  for (let sha: string | undefined = tip; sha !== undefined && log.length < 20;) {
    const commit: Awaited<ReturnType<typeof git.commit>> = await git.commit(sha)
    log.push({ sha, subject: commit.subject })
    sha = commit.parents[0]
  }
  return log
}

async function push(sample: string, env: NodeJS.ProcessEnv, branch: string): Promise<void> {
  const refspec = `refs/heads/${branch}:refs/heads/${branch}`
  if ((await userGit({ cwd: sample, env }, 'push', '--quiet', 'switchyard', refspec)) === null) {
    throw new CliError(1, 'demo', `git push switchyard ${branch} failed`)
  }
}

/** Runs another command for its effect; what it prints is not the demo's to show. */
async function quietly<Input>(
  context: CommandContext,
  command: (context: CommandContext, input: Input) => Promise<ExitCode>,
  input: Input,
): Promise<void> {
  const nowhere = { write: () => true } as unknown as NodeJS.WritableStream
  const output = createOutput({ stdout: nowhere, stderr: nowhere }, { json: false, color: false, isTerminal: false })
  const code = await command({ ...context, output }, input)
  if (code !== 0) throw new CliError(1, 'demo', `a step of the demo ended with exit code ${code}`)
}

/** The server comes back on the ports that it had, so that the addresses above stay right. */
async function leaveUp({ context, home, sample, folder }: Demo): Promise<void> {
  const { output } = context
  await quietly({ ...context, cwd: sample, isTerminal: false }, up, { detach: true })
  const bin = fileURLToPath(new URL('../../../bin/switchyard.mjs', import.meta.url))
  const prefix = `SWITCHYARD_HOME=${home} SWITCHYARD_USER=${AUTHOR} ${serverVariable}=embedded node ${bin}`
  output.line('')
  output.line('Left running. Look:')
  for (const command of ['pr list --state all', 'why 4', 'queue show', 'runs']) output.line(`  ${prefix} ${command}`)
  output.line(`Stop: ${prefix} down && rm -r ${folder}`)
}
