export * from '../../src/workflows/index.ts'
export { plainPullRequest } from './plain.ts'
