import type { Rule } from '#domain/decision'
import type { Output } from './output.ts'
import { ruleMark } from './render.ts'

/** Every criterion with its conditions, their reasons, and what would make them pass. */
export function printRules(output: Output, rules: Rule[], depth = 0): void {
  for (const rule of rules) {
    const indent = '  '.repeat(depth + 1)
    output.line(indent, ruleMark(rule.outcome), ' ', { text: rule.rule, style: 'bold' }, `  ${rule.reason}`)
    if (rule.needs !== undefined) output.line(indent, { text: `    to pass: ${rule.needs}`, style: 'dim' })
    printRules(output, rule.rules ?? [], depth + 1)
  }
}
