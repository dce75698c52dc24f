// Checks format, lint and types; prints what failed.
//   npm run check
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const module = (path: string) => fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url))

const checks: { name: string; args: string[]; help: string }[] = [
  {
    name: 'format',
    args: [module('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'],
    help: 'npm run format',
  },
  {
    name: 'lint',
    args: [module('eslint/bin/eslint.js'), '--max-warnings=0', '.'],
    help: 'eslint.config.js says what each rule is for',
  },
  { name: 'types', args: [module('typescript/bin/tsc'), '--project', '.'], help: 'the errors are above' },
]

const failed: typeof checks = []
for (const check of checks) {
  process.stdout.write(`${check.name} …\n`)
  if ((await run(check.args)) !== 0) failed.push(check)
}
for (const { name, help } of failed) process.stdout.write(`failed: ${name} (${help})\n`)
if (failed.length === 0) process.stdout.write(`passed: ${checks.map((check) => check.name).join(', ')}\n`)
process.exitCode = failed.length === 0 ? 0 : 1

function run(args: string[]): Promise<number> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
