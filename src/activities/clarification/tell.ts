import { activityInfo, log } from '@temporalio/activity'
import { ApplicationFailure } from '@temporalio/common'
import { expiryOf } from '#domain/clarification/ladder'
import { isNamed, peopleWhoMatter } from '#domain/clarification/people'
import { askedOf, type ClarificationState } from '#domain/clarification/state'
import type { Contact } from '#domain/contact'
import { maskSecrets } from '#domain/mask'
import { identityOf, type KnownPerson } from '#domain/people'
import type { Milliseconds } from '#domain/policy'
import type { Instant } from '#domain/pull-request'
import { whenAtWork } from '#domain/working-hours'
import { withHeartbeat } from '../long.ts'
import { NotifyError, type Notification, type NotifyTarget } from '../notify/port.ts'
import { offsetAt } from '../notify/zones.ts'
import type { AskRequest } from '../pipelines/port.ts'
import type { ClarificationTools } from './activities.ts'
import type { HangingTargets } from './hanging.ts'

export type TellEvent = Notification['event']

/** `to`: only these people; null: all who may answer and have not. `now`: by the clock of the server. */
export type TellRequest = Pick<AskRequest, 'asker'> & {
  id: string
  event: TellEvent
  to: string[] | null
  state: ClarificationState
  now: Instant
  /** What is not taken is told, and not tried again: nothing else waits for a target that hangs. */
  once?: true
  /** The ids of these deliveries only. */
  only?: string[]
}

export type FindRequest = Pick<ClarificationState, 'question' | 'delegations'>

/**
 * `again`: somebody was put off, and the first of them is at work then. In numbers of deliveries. `left`: the ids of those
 * that failed and may be tried again, where they were tried `once`.
 */
export type Told = { people: KnownPerson[]; again: Instant | null; delivered: number; failed: number; left?: string[] }

/** `hanging`: of the process. */
type TellTools = ClarificationTools & { hanging: HangingTargets }

type Delivery = { target: NotifyTarget; notification: Notification }

/** The notifier gives up a little earlier by itself, and an attempt must have time to say what is left. */
const DELIVERY_MS = 11_000

const askerEnded = 'Whoever asked has ended meanwhile: an answer is put on record, and moves nothing.'

export function findPeople({ people }: ClarificationTools, { question, delegations }: FindRequest): KnownPerson[] {
  return peopleWhoMatter(question, delegations, people)
}

/**
 * Tells those who are asked, each through all of their targets at the same time. A target that does not take it is tried
 * again with the next attempt of this activity, which says it to nobody twice whom it reached; after the last, it counts
 * as failed.
 */
export async function tellPeople(tools: TellTools, request: TellRequest): Promise<Told> {
  return withHeartbeat(async (signal, tell) => {
    const { state, now, once, only } = request
    const people = peopleWhoMatter(state.question, state.delegations, tools.people)
    const listeners = listenersOf(request, tools.people)
    const timed = listeners.map((contact) => ({ contact, at: state.question.urgent ? now : atWork(contact, now) }))
    const off = timed.map(({ at }) => at).filter((at) => at !== now)
    const again = off.sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null
    const present = timed.filter(({ at }) => at === now).map(({ contact }) => contact)
    const deliveries = await deliveriesTo(tools, request, present)
    const reached = new Set(reachedBefore())
    const due = deliveries.filter(({ notification: { id } }) => !reached.has(id) && (only?.includes(id) ?? true))
    const left: string[] = []
    let refused = 0
    await Promise.all(
      due.map(async (delivery) => {
        const { id } = delivery.notification
        const result = await deliver(tools, delivery, signal)
        if (result === 'delivered') tell([...reached.add(id)])
        else if (result === 'later') left.push(id)
        else refused += 1
      }),
    )
    signal.throwIfAborted()
    if (left.length > 0 && !once && !isLastAttempt()) throw notYet(left.length)
    const failed = refused + left.length
    return { people, again, delivered: deliveries.length - failed, failed, ...(once ? { left } : {}) }
  })
}

/** Where anybody may answer, everybody hears of it; but for those who may not, and those who have. */
function listenersOf({ state, to }: TellRequest, people: Contact[]): Contact[] {
  const asked = to ?? askedOf(state)
  const answered = new Set(state.answers.map(({ by }) => identityOf(by, people)))
  return people.filter((person) => {
    if (person.notify.length === 0) return false
    if (answered.has(identityOf(person.name, people)) || isNamed(state.question.not, person, people)) return false
    return asked.length === 0 || isNamed(asked, person, people)
  })
}

function atWork({ hours }: Contact, now: Instant): Instant {
  return hours === null ? now : whenAtWork(hours, now, offsetAt)
}

async function deliveriesTo(
  { pipelines, webUrl }: ClarificationTools,
  { id, asker, event, state }: TellRequest,
  listeners: Contact[],
): Promise<Delivery[]> {
  if (listeners.length === 0) return []
  const isAlone = event !== 'asked' && asker !== null && !(await pipelines.isOpen(asker.workflowId))
  const { kind, title, context, options, default: standard, urgent } = state.question
  const turn =
    event === 'reminder'
      ? `${event}-${state.reminders}`
      : event === 'escalation'
        ? `${event}-${state.escalations}`
        : event
  const common = {
    ...{ event, clarification: id, kind, title, options, default: standard, urgent, expiresAt: expiryOf(state) },
    context: isAlone ? [context, askerEnded].filter(Boolean).join('\n\n') : context,
    command: `switchyard answer ${id}`,
    webUrl: webUrl(id),
  }
  return listeners.flatMap(({ name, notify }) =>
    notify.map((target, index) => ({
      target,
      notification: { ...common, id: `${id}/${turn}/${name}/${index}`, to: name },
    })),
  )
}

async function deliver(
  { notifier, hanging }: TellTools,
  { target, notification }: Delivery,
  signal: AbortSignal,
): Promise<'delivered' | 'later' | 'refused'> {
  if (hanging.has(target) && !isLastAttempt()) return 'later'
  const began = performance.now()
  try {
    await notifier.send(target, notification, AbortSignal.any([signal, AbortSignal.timeout(deliveryLimit())]))
    hanging.note(target, { delivered: true, took: performance.now() - began })
    return 'delivered'
  } catch (error) {
    if (!signal.aborted) hanging.note(target, { delivered: false, took: performance.now() - began })
    const again = !(error instanceof NotifyError) || error.retryable
    log.warn('a notification was not taken', {
      id: notification.id,
      via: target.via,
      again,
      reason: maskSecrets(String(error)),
    })
    return again ? 'later' : 'refused'
  }
}

function deliveryLimit(): Milliseconds {
  return Math.min(DELIVERY_MS, Math.floor((activityInfo().startToCloseTimeoutMs ?? Infinity) / 2))
}

/** What an earlier attempt told with its last heartbeat. */
function reachedBefore(): string[] {
  const details: unknown = activityInfo().heartbeatDetails
  return Array.isArray(details) ? details.filter((each) => typeof each === 'string') : []
}

function isLastAttempt(): boolean {
  const { attempt, retryPolicy } = activityInfo()
  const most = retryPolicy?.maximumAttempts ?? 0
  return most > 0 && attempt >= most
}

function notYet(count: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'NotTold',
    message: `${count} deliveries were not taken; they are tried again`,
  })
}
