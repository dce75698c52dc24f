export { clarification } from './clarification.ts'
export { mergeQueue } from './merge-queue.ts'
export { pullRequest } from './pull-request.ts'
export { repositoryWatch } from './repository-watch.ts'
