import type { Command as Grammar, Option } from 'commander'
import { roles } from '#contracts/roles'

/** One word that may stand next, and what it means. */
export type Candidate = { word: string; summary: string }

/** What only the installation knows: looked up when such a word is wanted, and not before. */
export type Values = Record<'pr' | 'repo' | 'question' | 'answer', () => Promise<Candidate[]>>

type Place = { command: Grammar; arguments: number; wantsValueOf: Option | null; literal: boolean }

/**
 * What may stand for the last of `words`, those after `switchyard` on the command line; it is empty behind a space.
 * Follows the grammar, so it can't be out of date. Nothing where any word may stand: the shell then offers files.
 */
export async function complete(program: Grammar, words: string[], values: Values): Promise<Candidate[]> {
  const current = words.at(-1) ?? ''
  const place = follow(program, words.slice(0, -1))
  const offered = await candidatesAt(place, current, values)
  return offered.filter(({ word }) => word.startsWith(current))
}

/** The words of the command that a line is about, such as `policy simulate`. */
export function commandWords(program: Grammar, words: string[]): string {
  const names: string[] = []
  for (let at: Grammar | null = follow(program, words).command; at !== null; at = at.parent) names.unshift(at.name())
  return names.join(' ')
}

function follow(program: Grammar, words: string[]): Place {
  const place: Place = { command: program, arguments: 0, wantsValueOf: null, literal: false }
  for (const word of words) {
    if (place.wantsValueOf !== null) place.wantsValueOf = null
    else if (word === '--') place.literal = true
    else if (word.startsWith('-') && !place.literal) place.wantsValueOf = valued(place.command, word)
    else step(place, word)
  }
  return place
}

function step(place: Place, word: string): void {
  const child = place.command.commands.find((one) => one.name() === word)
  if (child === undefined) place.arguments += 1
  else place.command = child
}

/** The flag that takes the next word for its value. An optional value, as that of `--wait`, needs the equals sign. */
function valued(command: Grammar, word: string): Option | null {
  return flagsOf(command).find((flag) => flag.required && (flag.long === word || flag.short === word)) ?? null
}

async function candidatesAt(place: Place, current: string, values: Values): Promise<Candidate[]> {
  const { command, wantsValueOf, literal } = place
  if (wantsValueOf !== null) return await valuesOfFlag(wantsValueOf, current, values)
  if (current.startsWith('-') && !literal) return flagsOf(command).map(describeFlag)
  if (command.commands.length > 0) {
    const visible = command.createHelp().visibleCommands(command)
    return visible.map((one) => ({ word: one.name(), summary: one.description() }))
  }
  const argument = command.registeredArguments[place.arguments]
  if (argument === undefined) return []
  if (argument.argChoices) return argument.argChoices.map((word) => ({ word, summary: '' }))
  return await valuesOfArgument(argument.name(), values)
}

async function valuesOfArgument(name: string, values: Values): Promise<Candidate[]> {
  switch (name) {
    case 'pr':
    case 'id':
      return await values.pr()
    case 'name':
      return await values.repo()
    case 'question':
      return await values.question()
    case 'answer':
      return await values.answer()
    default:
      return []
  }
}

async function valuesOfFlag(flag: Option, current: string, values: Values): Promise<Candidate[]> {
  if (flag.argChoices) return flag.argChoices.map((word) => ({ word, summary: flag.description }))
  if (flag.long === '--repo') return await values.repo()
  if (flag.long === '--roles') return rolesBehind(current)
  return []
}

/** A list with commas: its last name is being written. */
function rolesBehind(current: string): Candidate[] {
  const before = current.slice(0, current.lastIndexOf(',') + 1)
  const chosen = before.split(',')
  return roles.filter((role) => !chosen.includes(role)).map((role) => ({ word: `${before}${role}`, summary: 'role' }))
}

/** The command's own flags and those of every command. */
function flagsOf(command: Grammar): Option[] {
  const help = command.createHelp()
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)]
}

function describeFlag(flag: Option): Candidate {
  return { word: flag.long ?? flag.short ?? '', summary: flag.description }
}
