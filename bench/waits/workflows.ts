export * from '../../src/workflows/index.ts'
export { bareAsker, bareQuestion } from './bare.ts'
export { asker } from './asker.ts'
