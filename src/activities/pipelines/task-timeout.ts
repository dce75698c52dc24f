/**
 * Milliseconds for one task of a workflow. A worker that dies in the middle of one keeps its pipeline still for this long;
 * the server's default is 10 s. It gives more time from the fourth try on, so that a long replay on a busy machine ends.
 */
export const workflowTaskTimeout = 2_500
