import type { Installation } from '#installation/installation'
import { policyBases } from './policy-view.ts'

const USUAL = ['main', 'master', 'trunk', 'develop']

/** The base that the repository's policy names first, else a usual name that exists, else the only branch. */
export async function defaultBase(installation: Installation, repo: string): Promise<string | null> {
  const refs = await installation.repository(repo).refs('refs/heads/')
  const branches = [...refs.keys()].map((ref) => ref.slice('refs/heads/'.length))
  const usual = USUAL.find((name) => branches.includes(name)) ?? (branches.length === 1 ? branches[0]! : null)
  if (usual === null) return null
  const bases = await policyBases(installation, repo, usual, refs.get(`refs/heads/${usual}`)!)
  return bases.find((name) => branches.includes(name)) ?? usual
}
