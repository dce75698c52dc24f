import { setImmediate as turn } from 'node:timers/promises'
import { SaxesParser, type SaxesTagPlain } from 'saxes'
import { maxFailures } from '#domain/check-report'
import type { TestFailure, TestReport } from '#domain/evidence'

/** Characters that are parsed before others get their turn. */
const chunkLength = 64 * 1024
const maxDepth = 100
/** Of a failure's text; the reason shows a line of it. */
const maxText = 4096

/** What control characters a runner copies from a test's output, which no XML may hold. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

export type JUnitReport = { outcome: 'read'; report: TestReport } | { outcome: 'broken'; problem: string }

/**
 * Reads JUnit XML as the many runners write it: `testcase` in `testsuite`, at any depth, with `failure`, `error` or
 * `skipped` inside. What passed when it was run again (`flakyFailure`) is no failure. Entities that a document declares
 * are never expanded: the parser knows none but the five of XML, and a document that uses another is broken.
 */
export async function parseJUnit(text: string): Promise<JUnitReport> {
  const collector = new Collector()
  const parser = new SaxesParser()
  parser.on('opentag', (tag) => collector.open(tag))
  parser.on('closetag', () => collector.close())
  parser.on('text', (piece) => collector.text(piece))
  parser.on('cdata', (piece) => collector.text(piece))
  parser.on('error', (error) => {
    throw error
  })
  try {
    for (let at = 0; at < text.length; at += chunkLength) {
      parser.write(text.slice(at, at + chunkLength).replaceAll(forbidden, ''))
      await turn()
    }
    parser.close()
  } catch (error) {
    return { outcome: 'broken', problem: `is no valid XML (line ${parser.line}: ${plainMessage(error)})` }
  }
  return collector.result()
}

/** saxes begins its messages with line and column. */
function plainMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^\d+:\d+: /, '').slice(0, 200)
}

type Testcase = { name: string; outcome: 'passed' | 'failed' | 'skipped'; message: string }

class Collector {
  private readonly report: TestReport = { total: 0, failed: 0, skipped: 0, failures: [] }
  private readonly path: string[] = []
  private readonly suites: string[] = []
  private current: Testcase | null = null
  /** Text of the failure that is open. */
  private failure: { message: string; text: string } | null = null
  private foundRoot = false

  open({ name, attributes }: SaxesTagPlain): void {
    if (this.path.length === 0) this.foundRoot = name === 'testsuites' || name === 'testsuite'
    if (this.path.push(name) > maxDepth) throw new Error('it is nested too deeply')
    switch (name) {
      case 'testsuite':
        this.suites.push(attributes['name'] ?? '')
        return
      case 'testcase':
        this.current = { name: this.nameOf(attributes), outcome: 'passed', message: '' }
        return
      case 'failure':
      case 'error':
        this.failure = { message: attributes['message'] ?? attributes['type'] ?? '', text: '' }
        return
      case 'skipped':
        if (this.current?.outcome === 'passed') this.current.outcome = 'skipped'
    }
  }

  text(piece: string): void {
    const name = this.path.at(-1)
    if (this.failure === null || (name !== 'failure' && name !== 'error')) return
    if (this.failure.text.length < maxText) this.failure.text += piece.slice(0, maxText)
  }

  close(): void {
    switch (this.path.pop() ?? '') {
      case 'testsuite':
        this.suites.pop()
        return
      case 'testcase':
        if (this.current !== null) this.add(this.current)
        this.current = null
        return
      case 'failure':
      case 'error':
        if (this.failure !== null) this.fail(this.failure)
        this.failure = null
    }
  }

  result(): JUnitReport {
    if (!this.foundRoot) return { outcome: 'broken', problem: 'is no JUnit report' }
    return { outcome: 'read', report: this.report }
  }

  /** Of a test, or of a suite that broke outside of its tests. */
  private fail({ message, text }: { message: string; text: string }): void {
    const said = message.trim() === '' ? text.trim() : message.trim()
    if (this.current === null) {
      const name = this.suites.at(-1) || 'a test suite'
      return this.add({ name, outcome: 'failed', message: said })
    }
    if (this.current.outcome !== 'failed') Object.assign(this.current, { outcome: 'failed', message: said })
  }

  private add({ name, outcome, message }: Testcase): void {
    this.report.total += 1
    if (outcome === 'skipped') this.report.skipped += 1
    if (outcome !== 'failed') return
    this.report.failed += 1
    const failure: TestFailure = { name, message, since: null }
    if (this.report.failures.length < maxFailures) this.report.failures.push(failure)
  }

  /** Its class or file and its own name; a runner that repeats the one in the other is not repeated. */
  private nameOf(attributes: Record<string, string>): string {
    const own = attributes['name']?.trim() || 'a test without a name'
    const group = attributes['classname']?.trim() || this.suites.at(-1)?.trim() || ''
    return group === '' || own === group || own.startsWith(`${group} `) ? own : `${group} › ${own}`
  }
}
