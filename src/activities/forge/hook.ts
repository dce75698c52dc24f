import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { checkBranchName } from '#domain/branch-name'
import { runGit } from '../git/run.ts'
import { spoolOf } from './spool.ts'

export type HookOptions = {
  repo: string
  /** Where pushes are told; beside the repository's own files unless given. */
  spoolFile?: string
  protectedBranches: string[]
}

const MARK = '# Made by Switchyard; installed again whenever the policy changes.'

/**
 * Puts the hooks of the local forge into a bare repository: `pre-receive` keeps people's pushes off protected branches,
 * `post-receive` tells of each push. Idempotent; a hook is replaced as a whole, so a push sees the old or the new one.
 * Switchyard's own git runs without hooks. Throws where somebody else's hook is in place.
 */
export async function installHooks(gitDir: string, options: HookOptions): Promise<void> {
  const folder = join(resolve(gitDir), 'hooks')
  const spoolFile = resolve(options.spoolFile ?? spoolOf(gitDir))
  const invalid = options.protectedBranches.find((name) => checkBranchName(name) !== null)
  if (invalid !== undefined) throw new Error(`a protected branch's name ${checkBranchName(invalid)}`)
  await mkdir(folder, { recursive: true })
  await mkdir(dirname(spoolFile), { recursive: true })
  await installHook(join(folder, 'pre-receive'), preReceive(options))
  await installHook(join(folder, 'post-receive'), postReceive(options, spoolFile))
  await advertisePushOptions(gitDir)
}

async function installHook(path: string, content: string): Promise<void> {
  const present = await readFile(path, 'utf8').catch(() => null)
  if (present === content) return
  if (present !== null && !present.includes(MARK)) {
    throw new Error(`${path} is not Switchyard's; move it away, then try again`)
  }
  const partial = `${path}.${randomUUID()}`
  try {
    await writeFile(partial, content)
    await chmod(partial, 0o755)
    await rename(partial, path)
  } finally {
    await rm(partial, { force: true })
  }
}

async function advertisePushOptions(gitDir: string): Promise<void> {
  const file = join(resolve(gitDir), 'config')
  const key = 'receive.advertisePushOptions'
  const { stdout } = await runGit({ args: ['config', '--file', file, '--get', key], accept: [1] })
  if (stdout.toString('utf8').trim() === 'true') return
  await runGit({ args: ['config', '--file', file, '--replace-all', key, 'true'] })
}

function preReceive({ repo, protectedBranches }: HookOptions): string {
  return `#!/bin/sh
${MARK}
repo=${quote(repo)}
${functions(protectedBranches)}
refuse() {
  printf 'switchyard: %s\\n' "$@" >&2
  exit 1
}
find_option
while IFS=' ' read -r old new ref; do
  is_protected "$ref" || continue
  branch=\${ref#refs/heads/}
  case $new in *[!0]*) ;; *) refuse "$branch of $repo is protected and can't be deleted." ;; esac
  case $old in
    *[!0]*) git merge-base --is-ancestor "$old" "$new" || refuse "$branch of $repo is protected: it only moves forward. Rebase on it first." ;;
  esac
  [ "$direct" = 1 ] || refuse "$branch of $repo is protected; changes land through pull requests:" \\
    "  git push <remote> HEAD:refs/heads/<branch> && switchyard pr create --repo $repo --head <branch> --base $branch --title <title>" \\
    "To push directly all the same, and be audited: git push -o allow-direct"
done
exit 0
`
}

/** One line a ref, written at once: push, time or nothing, ref, old, new, process, actor of a direct push or nothing. */
function postReceive({ protectedBranches }: HookOptions, spoolFile: string): string {
  return `#!/bin/sh
${MARK}
spool=${quote(spoolFile)}
${functions(protectedBranches)}
actor() {
  name=$SWITCHYARD_USER
  [ -n "$name" ] || name=$(git config user.email)
  [ -n "$name" ] || name=$(git log -1 --format=%ce "$1" --)
  printf '%s' "\${name:-unknown}" | tr -d '\\000-\\037\\177'
}
{
  find_option
  while IFS=' ' read -r old new ref; do
    at= who=
    if [ "$direct" = 1 ] && is_protected "$ref"; then
      at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
      who=$(actor "$new")
    fi
    printf 'push\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' "$at" "$ref" "$old" "$new" "$$" "$who" >>"$spool"
  done
} 2>/dev/null
exit 0
`
}

function functions(protectedBranches: string[]): string {
  const patterns = protectedBranches.map((name) => quote(`refs/heads/${name}`)).join('|')
  return `is_protected() {
  case $1 in
${patterns ? `    ${patterns}) return 0 ;;\n` : ''}    *) return 1 ;;
  esac
}
find_option() {
  direct=0 index=0
  while [ "$index" -lt "\${GIT_PUSH_OPTION_COUNT:-0}" ]; do
    eval "option=\\$GIT_PUSH_OPTION_$index"
    [ "$option" = allow-direct ] && direct=1
    index=$((index + 1))
  done
}`
}

/** One word for `sh`, whatever is in it; also a literal in a \`case\` pattern. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
