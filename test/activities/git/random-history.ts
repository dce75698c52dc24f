import fc from 'fast-check'

/** A step of a history: on the base, on the head, or on a branch beside the head that is merged into it later. */
export type HistoryStep =
  | { kind: 'change'; on: 'base' | 'head' | 'side'; slot: number; value: number }
  | { kind: 'empty'; on: 'base' | 'head' }
  | { kind: 'merge'; from: 'base' | 'side'; evil: boolean }
  /** What the head changed last, made on the base too. */
  | { kind: 'pick' }

const SLOTS = 6
const PER_FILE = 3

const step: fc.Arbitrary<HistoryStep> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      on: fc.constantFrom('base', 'head', 'head', 'side'),
      slot: fc.nat(SLOTS - 1),
      value: fc.nat(2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('empty' as const), on: fc.constantFrom('base', 'head') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('merge' as const),
      from: fc.constantFrom('base', 'side'),
      evil: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'pick' as const }) },
)

export const historySteps = fc.array(step, { minLength: 1, maxLength: 9 })

type State = number[]
type Node = { mark: number; state: State }

/** The history as `git fast-import` reads it, with branches `<prefix>/base` and `<prefix>/head` of one root. */
export function fastImport(steps: HistoryStep[], prefix: string): string {
  const stream: string[] = []
  let marks = 0
  function commit(parents: Node[], state: State, message: string): Node {
    const mark = (marks += 1)
    const person = mark % 2 === 0 ? 'Ann <ann@example.test>' : 'Bo\u0308b <bob@example.test>'
    const lines = [
      `commit refs/heads/${prefix}/${mark}`,
      `mark :${mark}`,
      `author ${person} ${1_700_000_000 + mark * 60} +0530`,
      `committer ${person} ${1_700_000_000 + mark * 60} -0700`,
      ...data(`${message} ${mark}\n\nwhy ${mark}\n`),
      ...parents.map(({ mark }, index) => `${index === 0 ? 'from' : 'merge'} :${mark}`),
      ...filesOf(state).flatMap(([path, content]) => [`M 100644 inline ${path}`, ...data(content)]),
    ]
    stream.push(...lines, '')
    return { mark, state }
  }
  const root = commit([], Array<number>(SLOTS).fill(0), 'first')
  const at = { base: root, head: root, side: root }
  /** Where base and side were when the head last had all of them. */
  const fork = { base: root, side: root }
  let beside = false
  let last: { slot: number; value: number } | null = null
  for (const each of steps) {
    switch (each.kind) {
      case 'change': {
        if (each.on === 'side' && !beside) {
          at.side = fork.side = at.head
          beside = true
        }
        const { slot, value } = each
        const before = at[each.on]
        at[each.on] = commit([before], before.state.with(slot, value), `set ${slot} to ${value}`)
        if (each.on !== 'base') last = { slot, value }
        break
      }
      case 'empty':
        at[each.on] = commit([at[each.on]], at[each.on].state, 'nothing')
        break
      case 'merge': {
        if (at[each.from] === fork[each.from]) break
        const merged = merge(fork[each.from].state, at.head.state, at[each.from].state)
        at.head = commit([at.head, at[each.from]], each.evil ? merged.with(0, 2) : merged, `merge ${each.from}`)
        fork[each.from] = at[each.from]
        if (each.from === 'side') beside = false
        break
      }
      case 'pick':
        if (last) at.base = commit([at.base], at.base.state.with(last.slot, last.value), 'pick')
        break
    }
  }
  stream.push(`reset refs/heads/${prefix}/base`, `from :${at.base.mark}`, '')
  stream.push(`reset refs/heads/${prefix}/head`, `from :${at.head.mark}`, '', 'done', '')
  return stream.join('\n')
}

function merge(ancestor: State, ours: State, theirs: State): State {
  return ours.map((value, slot) => (value === ancestor[slot] ? theirs[slot]! : value))
}

/** So far apart that git merges each slot by itself. */
function filesOf(state: State): [string, string][] {
  const block = (slot: number) => ['-', '-', '-', '-', `slot ${slot}: ${state[slot]}`, '-', '-', '-', '-'].join('\n')
  return Array.from({ length: SLOTS / PER_FILE }, (_, file) => [
    `file-${file}.txt`,
    `${Array.from({ length: PER_FILE }, (_, index) => block(file * PER_FILE + index)).join('\n')}\n`,
  ])
}

function data(text: string): string[] {
  return [`data ${Buffer.byteLength(text)}`, text]
}
