/** What the crash sweep goes through: every moment of every activity, for each deed, and each pair of them around a landing. */
import { readFile } from 'node:fs/promises'
import { roles } from '#contracts/roles'
import { activitiesOf, openTools } from '#workers/activities'
import { roleDefinitions } from '#workers/roles'
import { traceFile, type Chain, type CrashPoint, type Deed, type Moment } from '../support/crash-points.ts'
import type { TestInstallation } from '../support/installation.ts'
import { shuffled } from '../support/seeded.ts'
import type { Life } from './life.ts'

/** Where in an activity, in whatever repository. */
export type Place = Omit<CrashPoint, 'repo'>

/** What happens in one repository's life. Chains of one scenario may happen in any order. */
export type Scenario = { deed: Deed; life: Life; chains: Place[][] }

/** Every activity that a worker of any role has, from the wiring itself: a new one is in the sweep or fails it. */
export function wiredActivities({ installation, connected, env }: TestInstallation): string[] {
  const tools = openTools(installation, connected.pipelines, env)
  const names = roles.flatMap((role) => Object.keys(activitiesOf(roleDefinitions[role], tools, installation)))
  return [...new Set(names)].sort()
}

/** The moments that a traced life reached, in the order of their first time. */
export async function reachedPlaces({ faults }: TestInstallation): Promise<Place[]> {
  const lines = (await readFile(traceFile(faults), 'utf8')).split('\n').filter(Boolean)
  return [...new Set(lines)].map((line) => {
    const [activity, moment] = line.split(' ') as [string, Moment]
    return { activity, moment }
  })
}

/** Moments in one life: as many deaths as end within its deadline; a stopped worker is continued once all is at rest. */
const TOGETHER = { 'kill-worker': 8, 'kill-server': 6, 'stop-worker': 1 }

/** A life dies at several places, each once and of another activity, so that one death does not hide another. */
export function singles(deed: Deed, places: Place[], random: () => number): Scenario[] {
  const left = shuffled(places, random)
  const scenarios: Scenario[] = []
  while (left.length > 0) {
    const chosen: Place[] = []
    for (const place of [...left]) {
      if (chosen.length === TOGETHER[deed] || chosen.some(({ activity }) => activity === place.activity)) continue
      chosen.push(place)
      left.splice(left.indexOf(place), 1)
    }
    scenarios.push({ deed, life: 'whole', chains: chosen.map((place) => [place]) })
  }
  return scenarios
}

/** Attempts wait longer and longer: after this many deaths the next would take seconds. */
const LONGEST_CHAIN = 4

/**
 * Every pair of moments of which the second can be reached in the retry after a death at the first, as walks over all
 * pairs. Moments inside of an effect come once: the retry finds it done.
 */
export function pairsOf(activity: string, places: Place[], random: () => number): Place[][] {
  const own = places.filter((place) => place.activity === activity)
  const left = new Set(
    [...own.keys()].flatMap((at) =>
      own.flatMap((second, then) => (second.moment.startsWith('inside-') && then <= at ? [] : [`${at} ${then}`])),
    ),
  )
  const chains: Place[][] = []
  while (left.size > 0) {
    const walk = [Number(shuffled([...left], random)[0]!.split(' ')[0])]
    while (walk.length < LONGEST_CHAIN) {
      const next = shuffled([...own.keys()], random).find((then) => left.delete(`${walk.at(-1)} ${then}`))
      if (next === undefined) break
      walk.push(next)
    }
    if (walk.length > 1) chains.push(walk.map((at) => own[at]!))
  }
  return chains
}

/**
 * Lives of three PRs: deaths in the building of a candidate, then in the landing of it, then in the landing of another.
 * Together they have each pair of moments within each of both.
 */
export function landingPairs(places: Place[], random: () => number): Scenario[] {
  const landings = shuffled(pairsOf('landCandidate', places, random), random)
  const builds = pairsOf('buildCandidate', places, random)
  const lives = Math.max(builds.length, Math.ceil(landings.length / 2))
  return Array.from({ length: lives }, (_, life) => {
    const [first = [], second = []] = [landings[2 * life], landings[2 * life + 1]]
    const other = second.map((place, index) => (index === 0 ? { ...place, otherPr: true } : place))
    const build = builds[life] ?? [shuffled(builds.flat(), random)[0]!]
    return { deed: 'kill-worker', life: 'queue', chains: [[...build, ...first, ...other]] }
  })
}

/** Whose late effects would show: all of their moments are tried, of each other activity one, by the seed. */
const conspicuous = ['landCandidate', 'publishDecision']

/** Where a stopped worker still has something to do once it is continued, and it is late. */
export function lateEffects(places: Place[], random: () => number): Place[] {
  const early = places.filter(({ moment }) => moment !== 'before-acknowledgement')
  const active = new Set(early.filter(({ moment }) => moment !== 'before-effect').map(({ activity }) => activity))
  return [...active].flatMap((activity) => {
    const moments = early.filter((place) => place.activity === activity)
    return conspicuous.includes(activity) ? moments : shuffled(moments, random).slice(0, 1)
  })
}

export function chainsOf(repo: string, { deed, chains }: Scenario): Chain[] {
  return chains.map((places) => ({ deed, points: places.map((place) => ({ repo, ...place })) }))
}

/** `kill-worker landCandidate:inside-landed+landCandidate:before-acknowledgement`, as SWITCHYARD_SWEEP takes it. */
export function nameOf({ deed, chains }: Scenario): string {
  const texts = chains.map((places) =>
    places.map(({ activity, moment, otherPr }) => `${otherPr ? 'other/' : ''}${activity}:${moment}`).join('+'),
  )
  return `${deed} ${texts.join(' ')}`
}

/** @throws when the text is no scenario */
export function parseScenario(text: string): Scenario {
  const [deed, ...chains] = text.trim().split(/\s+/)
  if (deed !== 'kill-worker' && deed !== 'kill-server' && deed !== 'stop-worker') {
    throw new Error(`SWITCHYARD_SWEEP must begin with kill-worker, kill-server or stop-worker: ${text}`)
  }
  const parsed = chains.map((chain) =>
    chain.split('+').map((place) => {
      const [, other, activity, moment] = /^(other\/)?(\w+):(\S+)$/.exec(place) ?? []
      if (!activity || !moment) throw new Error(`SWITCHYARD_SWEEP: ${place} is not <activity>:<moment>`)
      return { activity, moment: moment as Moment, ...(other ? { otherPr: true } : {}) }
    }),
  )
  if (parsed.length === 0) throw new Error(`SWITCHYARD_SWEEP names no place: ${text}`)
  const life = parsed.some((places) => places.length > 1) && deed === 'kill-worker' ? 'queue' : 'whole'
  return { deed, life, chains: parsed }
}
