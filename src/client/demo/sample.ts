import { randomInt } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { userGit } from '../user-git.ts'

export type DemoPullRequest = {
  branch: string
  title: string
  draft?: true
  /** It waits for somebody to answer, and lands then. */
  asks?: true
  /** Landed, rejected or waiting, by the promises of the README; the demo fails if it turns out otherwise. */
  expected: 'landed' | 'rejected' | 'waiting'
  why: string
}

/** In the order in which they are opened. */
export const demoPullRequests: DemoPullRequest[] = [
  { branch: 'add-discounts', title: 'Add discounts', expected: 'landed', why: 'good' },
  { branch: 'round-prices', title: 'Round prices', expected: 'rejected', why: 'its tests fail' },
  { branch: 'rename-total', title: 'Rename total', expected: 'rejected', why: 'conflicts with main' },
  { branch: 'upload-receipts', title: 'Upload receipts', expected: 'rejected', why: 'a secret in its first commit' },
  {
    branch: 'upload-receipts-clean',
    title: 'Upload receipts, again',
    expected: 'landed',
    why: 'the same tree, a clean history',
  },
  { branch: 'try-currencies', title: 'Try currencies', draft: true, expected: 'waiting', why: 'a draft' },
  {
    branch: 'add-shipping',
    title: 'Add shipping',
    asks: true,
    expected: 'landed',
    why: 'good, and approved by somebody who was asked',
  },
]

const policy = `version: 1
checks:
  tests:
    run: node --test
    timeout: 2m
  review:
    approvals: { count: 0, ask: true }
rules:
  - name: costs-approved
    if: { paths: shipping.js }
    require: { approvals: 1 }
merge:
  method: squash
`

const cart = `export function total(items) {
  return items.reduce((sum, item) => sum + item.price * item.count, 0)
}
`

/** Takes as long as a small suite does, so that the demo can kill its worker in the middle. */
const cartTest = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { total } from './cart.js'

test('total adds prices times counts', async () => {
  await setTimeout(1500)
  assert.equal(total([{ price: 250, count: 2 }, { price: 100, count: 1 }]), 600)
})
`

const receipts = `export function receiptUrl(id) {
  return \`\${process.env.RECEIPTS_URL}/\${encodeURIComponent(id)}\`
}
`

type Change = { files: Record<string, string>; message: string }

/** A working repository with tests and seven branches, in \`folder\`. */
export async function createSample(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const git = async (...args: string[]): Promise<void> => {
    if ((await userGit({ cwd: folder, env }, ...args)) === null)
      throw new Error(`git ${args.join(' ')} failed in the sample`)
  }
  async function commit({ files, message }: Change): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), content)
    }
    await git('add', '--all')
    await git('commit', '--quiet', '--message', message)
  }
  async function branch(name: string, from: string, ...changes: Change[]): Promise<void> {
    await git('switch', '--quiet', '--create', name, from)
    for (const change of changes) await commit(change)
  }

  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await git('init', '--quiet', '--initial-branch=main')
  await git('config', 'user.name', 'Dana Developer')
  await git('config', 'user.email', 'dana@example.org')
  await commit({
    message: 'A shop with a cart',
    files: {
      'package.json': `${JSON.stringify({ name: 'shop', type: 'module', scripts: { test: 'node --test' } }, null, 2)}\n`,
      '.switchyard.yaml': policy,
      'cart.js': cart,
      'cart.test.js': cartTest,
    },
  })
  await createBranches({ git, commit, branch })
  await git('switch', '--quiet', 'main')
}

type Hands = {
  git(...args: string[]): Promise<void>
  commit(change: Change): Promise<void>
  branch(name: string, from: string, ...changes: Change[]): Promise<void>
}

async function createBranches({ git, commit, branch }: Hands): Promise<void> {
  await git('tag', 'before-total')
  const named = cart.replace('total(items)', 'total(items = [])')
  await commit({ message: 'Let an empty cart cost nothing', files: { 'cart.js': named } })

  await branch('add-discounts', 'main', {
    message: 'Add discounts',
    files: {
      'discount.js': 'export const discounted = (price, percent) => price - (price * percent) / 100\n',
      'discount.test.js': passingTest('discount.js', 'discounted', 'discounted(200, 10)', '180'),
    },
  })
  await branch('round-prices', 'main', {
    message: 'Round prices',
    files: { 'cart.js': named.replace('item.price * item.count', 'Math.round(item.price / 1000) * item.count') },
  })
  await branch('rename-total', 'before-total', {
    message: 'Rename total',
    files: { 'cart.js': cart.replace('total(items)', 'sum(lines)').replace('items.reduce', 'lines.reduce') },
  })
  await branch(
    'upload-receipts',
    'main',
    { message: 'Upload receipts', files: { 'receipts.js': `const accessKeyId = '${awsKeyId()}'\n${receipts}` } },
    { message: 'Take the key out again', files: { 'receipts.js': receipts } },
  )
  await branch('upload-receipts-clean', 'main', { message: 'Upload receipts', files: { 'receipts.js': receipts } })
  await branch('try-currencies', 'main', {
    message: 'Try currencies',
    files: { 'currency.js': "export const currencies = ['EUR', 'CHF']\n" },
  })
  await branch('add-shipping', 'main', {
    message: 'Add shipping',
    files: {
      'shipping.js': 'export const shipping = (grams) => (grams > 1000 ? 900 : 400)\n',
      'shipping.test.js': passingTest('shipping.js', 'shipping', 'shipping(2000)', '900'),
    },
  })
}

function passingTest(file: string, name: string, call: string, result: string): string {
  return `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ${name} } from './${file}'

test('${name}', () => assert.equal(${call}, ${result}))
`
}

/** Of the right shape and made up anew each time: a real scanner has to find it. */
function awsKeyId(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  return `AKIA${Array.from({ length: 16 }, () => alphabet[randomInt(alphabet.length)]).join('')}`
}
