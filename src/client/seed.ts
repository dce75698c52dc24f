import type { Seed } from './register.ts'

export const seedLocalForge: Seed = async (input) =>
  (await import('#activities/forge/local')).seedLocalRepository(input)
