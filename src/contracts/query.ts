/** With what a worker refuses a query that came before the task that its answer hangs on; it may be asked again at once. */
export const askAgain = 'this query came before a workflow task that is due: ask again'
