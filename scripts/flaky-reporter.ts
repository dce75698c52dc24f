import type { Reporter, TestCase } from 'vitest/node'

/** Names each test that failed and then passed when it was run again, with what it failed by: none is forgotten. */
export default class FlakyReporter implements Reporter {
  private readonly lines: string[] = []

  onTestCaseResult(test: TestCase): void {
    if (!test.diagnostic()?.flaky) return
    const [error] = test.result().errors ?? []
    this.lines.push(`flaky: ${test.module.relativeModuleId} > ${test.fullName}: ${error?.message ?? 'no message'}`)
  }

  onTestRunEnd(): void {
    for (const line of this.lines) process.stdout.write(`${line}\n`)
  }
}
