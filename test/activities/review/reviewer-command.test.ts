import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createFileLogStore } from '#activities/logs/files'
import { createReviewer } from '#activities/review/reviewer'
import { createCommandRunner } from '#activities/tests/runner'
import { createHistory } from './history.ts'

test("a PR that rewrites its reviewer is judged by the base's", async () => {
  const history = await createHistory()
  const home = await mkdtemp(join(tmpdir(), 'switchyard-review-'))
  onTestFinished(async () => {
    await history.remove()
    await rm(home, { recursive: true, force: true, maxRetries: 3 })
  })
  const refusing = `grep -q '^+let a = 2' && echo '[{"rule":"no-two","message":"two is not allowed","line":1}]'\n`
  const base = await history.commit({ 'review.sh': refusing, 'app.js': 'let a = 1\n' })
  const head = await history.commit({ 'review.sh': "echo '[]'\n", 'app.js': 'let a = 2\n' })
  const runner = createCommandRunner({
    home,
    isolation: 'none',
    logs: createFileLogStore(join(home, 'logs')),
    env: { PATH: process.env['PATH'] },
  })

  const outcome = await createReviewer({ runner }).review({
    git: history.git,
    repo: 'shop',
    number: 1,
    base,
    mergeBase: base,
    head,
    policy: {
      maxFileSize: 1024 * 1024,
      forbiddenPaths: [],
      reviewers: [{ name: 'two', run: 'sh review.sh', timeout: 20_000 }],
      approvals: 0,
    },
    logName: 'review',
    signal: new AbortController().signal,
    onStage: () => {},
  })

  expect(outcome).toMatchObject({ conclusion: 'failed', reason: '1 finding: two is not allowed' })
})
