import { describe, expect, test } from 'vitest'
import { parseJUnit } from '#activities/tests/junit'

const read = async (text: string) => {
  const parsed = await parseJUnit(text)
  if (parsed.outcome !== 'read') throw new Error(parsed.problem)
  return parsed.report
}
const problemOf = async (text: string) => {
  const parsed = await parseJUnit(text)
  return parsed.outcome === 'broken' ? parsed.problem : null
}
const names = async (testcase: string) => {
  const { failures } = await read(`<testsuite name="suite"><testcase ${testcase}><failure/></testcase></testsuite>`)
  return failures.map(({ name }) => name)
}

describe('a JUnit report', () => {
  test('of one suite counts its tests, and says of each that failed what it said', async () => {
    const report = await read(`<?xml version="1.0" encoding="UTF-8"?>
      <testsuite name="cart" tests="4">
        <testcase classname="cart" name="adds"/>
        <testcase classname="cart" name="removes"><failure message="expected 1 &lt; 2" type="AssertionError">a stack</failure></testcase>
        <testcase classname="cart" name="empties"><error><![CDATA[TypeError: <none>]]></error></testcase>
        <testcase classname="cart" name="prices"><skipped/></testcase>
      </testsuite>`)
    expect(report).toEqual({
      ...{ total: 4, failed: 2, skipped: 1 },
      failures: [
        { name: 'cart › removes', message: 'expected 1 < 2', since: null },
        { name: 'cart › empties', message: 'TypeError: <none>', since: null },
      ],
    })
  })

  test('counts what is in suites of suites', async () => {
    const inner = '<testsuite name="b"><testcase name="x"/><testcase name="y"><failure/></testcase></testsuite>'
    const report = await read(`<testsuites><testsuite name="a">${inner}<testcase name="z"/></testsuite></testsuites>`)
    expect(report).toMatchObject({ total: 3, failed: 1, failures: [{ name: 'b › y' }] })
  })

  test.each([
    ['pytest', 'classname="tests.test_cart" name="test_adds"', 'tests.test_cart › test_adds'],
    ['vitest', 'classname="test/cart.test.ts" name="cart &gt; adds"', 'test/cart.test.ts › cart > adds'],
    ['jest-junit', 'classname="cart adds" name="cart adds"', 'cart adds'],
    ['jest-junit with suites', 'classname="cart" name="cart adds"', 'cart adds'],
    ['a runner without classes', 'name="adds"', 'suite › adds'],
    ['a runner without names', '', 'suite › a test without a name'],
  ])('names a test as %s does', async (_runner, attributes, name) => {
    expect(await names(attributes)).toEqual([name])
  })

  test('counts a test once that has both a failure and an error, and a suite that broke outside of its tests', async () => {
    const twice = '<testcase name="a"><failure message="first"/><error message="second"/></testcase>'
    const report = await read(`<testsuite name="s">${twice}<error message="no such file"/></testsuite>`)
    expect(report).toEqual({
      ...{ total: 2, failed: 2, skipped: 0 },
      failures: [
        { name: 's › a', message: 'first', since: null },
        { name: 's', message: 'no such file', since: null },
      ],
    })
  })

  test('takes no notice of what failed and then passed', async () => {
    const flaky = '<testcase name="a"><flakyFailure message="once"/><system-out>failure</system-out></testcase>'
    expect(await read(`<testsuite name="s">${flaky}</testsuite>`)).toMatchObject({ total: 1, failed: 0 })
  })

  test('keeps the first 200 failures and counts all', async () => {
    const cases = Array.from({ length: 300 }, (_, n) => `<testcase name="t${n}"><failure/></testcase>`).join('')
    const report = await read(`<testsuite>${cases}</testsuite>`)
    expect([report.failed, report.failures.length]).toEqual([300, 200])
  })

  test('is read although a test wrote colours into it, which no XML may hold', async () => {
    const failure = '<failure message="\u001b[31mred\u001b[0m"/>'
    expect(await read(`<testsuite><testcase name="a">${failure}</testcase></testsuite>`)).toMatchObject({ failed: 1 })
  })

  test('is read whole when it is large', async () => {
    const output = `<system-out>${'x'.repeat(300_000)}</system-out>`
    const cases = Array.from({ length: 20 }, (_, n) => `<testcase name="t${n}">${output}</testcase>`).join('')
    expect(await read(`<testsuite>${cases}</testsuite>`)).toMatchObject({ total: 20 })
  })
})

describe('a JUnit report that is broken', () => {
  test.each([
    ['cut off', '<testsuite><testcase name="a">', /no valid XML \(line 1: /],
    ['no XML', 'all tests passed\n', /no valid XML/],
    ['empty', '', /no valid XML|no JUnit/],
    ['something else', '<html><body/></html>', /is no JUnit report/],
    ['nested without end', '<testsuite>'.repeat(200), /nested too deeply/],
  ])('is said to be so: %s', async (_name, text, problem) => {
    expect(await problemOf(text)).toMatch(problem)
  })

  test('names the line', async () => {
    expect(await problemOf('<testsuite>\n\n<testcase name=a/></testsuite>')).toMatch(/line 3/)
  })

  test('expands no entity that it declares', async () => {
    const laughs = Array.from({ length: 20 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('')
    const doctype = `<!DOCTYPE testsuite [<!ENTITY l0 "lol">${laughs}]>`
    const start = performance.now()
    expect(await problemOf(`${doctype}<testsuite><testcase name="&l20;"/></testsuite>`)).toMatch(/no valid XML/)
    expect(performance.now() - start).toBeLessThan(2_000)
  })

  test('reads no file that an entity names', async () => {
    const doctype = '<!DOCTYPE testsuite [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    const text = `${doctype}<testsuite><testcase name="a"><failure>&f;</failure></testcase></testsuite>`
    expect(await problemOf(text)).toMatch(/no valid XML/)
  })
})
