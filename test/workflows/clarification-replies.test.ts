import { expect, it } from 'vitest'
import { answer, cancel, comment, delegate, reply } from '#contracts/clarification'
import {
  ask,
  askAlone,
  holdRecordOf,
  inClarifications,
  outcomeOf,
  recorded,
  refusal,
  say,
  signal,
  status,
  toldOf,
  world,
  yesOrNo,
} from './clarifications.ts'
import { takeBack } from './askers.ts'
import { record } from './record.ts'
import { until } from './until.ts'

const approval = { kind: 'approval' as const, title: 'Ship it?', who: ['reviewers'], needed: 2 }

inClarifications('a reply to a question', () => {
  it('is refused at once where it does not count, and changes nothing', async () => {
    const { asker, question } = await ask({ ...yesOrNo, reason: true })
    expect(await say(question, 'ann', 'perhaps', 'why not')).toBe('UnknownOption')
    expect(await say(question, 'zoe', 'yes', 'why not')).toBe('NotAllowed')
    expect(await say(question, 'ann', 'yes')).toBe('NoReason')
    expect(await say(question, '', 'yes', 'why not')).toBe('Invalid')
    expect(await say(question, '\u001b[31mann', 'yes', 'why not')).toBe('Invalid')
    expect(await status(question)).toMatchObject({ state: 'open', answers: [] })
    expect(await say(question, 'ann', 'yes', 'why not')).toBeNull()
    expect(await outcomeOf(asker)).toMatchObject({ value: 'yes', comment: 'why not' })
  })

  it('counts once for each person, under whatever name, until so many agree', async () => {
    const { asker, question } = await ask(approval)
    expect(await say(question, 'ann', 'approve')).toBeNull()
    expect(await say(question, 'ann-on-the-forge', 'approve')).toBeNull()
    expect(await say(question, 'ann', 'reject')).toBe('AlreadyAnswered')
    expect(await status(question)).toMatchObject({ state: 'open', answered: [{ by: 'ann', value: 'approve' }] })
    expect(await say(question, 'bob', 'approve')).toBeNull()
    expect(await outcomeOf(asker)).toMatchObject({ value: 'approve', by: ['ann', 'bob'] })
    await question.result()
    const answers = (await recorded(question)).filter(({ action }) => action === 'clarification.answered')
    expect(answers.map(({ actor }) => actor)).toEqual(['ann', 'bob'])
    await record('clarification', 'two-of-three', question)
  })

  it('settles by one veto what wants several', async () => {
    const { asker, question } = await ask(approval)
    expect(await say(question, 'ann', 'approve')).toBeNull()
    expect(await say(question, 'cem', 'reject', 'it is broken')).toBeNull()
    expect(await outcomeOf(asker)).toMatchObject({ value: 'reject', by: ['cem'], comment: 'it is broken' })
  })

  it('is refused of the author, under whatever name', async () => {
    const question = await askAlone({ ...approval, needed: 1, not: ['ann'] })
    expect(await say(question, 'ann', 'approve')).toBe('NotAllowed')
    expect(await say(question, 'ann-on-the-forge', 'approve')).toBe('NotAllowed')
    expect(await say(question, 'bob', 'approve')).toBeNull()
  })

  it('may be given by whom somebody delegated it to, who is told', async () => {
    const question = await askAlone(yesOrNo)
    await until('ann was told', () => toldOf(question).some(({ to }) => to === 'ann'))
    expect(await say(question, 'dora', 'yes')).toBe('NotAllowed')
    const toDora = (by: string) => refusal(() => question.executeUpdate(delegate, { args: [{ by, to: 'dora' }] }))
    expect(await toDora('zoe')).toBe('NotAllowed')
    expect(await toDora('ann')).toBeNull()
    await until('dora was told', () => toldOf(question).some(({ to }) => to === 'dora'))
    expect(toldOf(question).filter(({ to }) => to === 'ann')).toHaveLength(1)
    expect(await say(question, 'dora', 'yes')).toBeNull()
    expect(await question.result()).toMatchObject({ by: ['dora'] })
    await record('clarification', 'delegated', question)
  })

  it('may be a comment, which answers nothing, is kept, and shows no secret', async () => {
    const question = await askAlone(yesOrNo)
    const text = 'see \u001b[31mhttps://ann:hunter2\u200bhunter2@example.test/'
    expect(await refusal(() => question.executeUpdate(comment, { args: [{ by: 'zoe', text }] }))).toBeNull()
    const { remarks, state } = await status(question)
    expect(state).toBe('open')
    expect(remarks).toMatchObject([{ by: 'zoe' }])
    expect(remarks[0]!.text).not.toContain('hunter2hunter2')
    expect(remarks[0]!.text).not.toContain('\u001b')
    await question.terminate()
  })

  it('is the same when it is said again, and is superseded or late after the end', async () => {
    const [answered, withdrawn] = [await askAlone(yesOrNo), await askAlone(yesOrNo)]
    const release = [holdRecordOf(answered), holdRecordOf(withdrawn)]
    expect(await say(answered, 'ann', 'yes')).toBeNull()
    expect(await say(answered, 'ann', 'yes')).toBeNull()
    expect(await say(answered, 'bob', 'no')).toBe('AlreadyAnswered')
    await withdrawn.signal(cancel, { reason: 'it moved on' })
    expect(await say(withdrawn, 'bob', 'no')).toBe('Superseded')
    for (const go of release) go()
    expect(await answered.result()).toMatchObject({ value: 'yes', by: ['ann'] })
    expect(await withdrawn.result()).toMatchObject({ state: 'cancelled', comment: 'it moved on' })
  })

  it('reaches the asker before it is on record', async () => {
    const { asker, question } = await ask(yesOrNo)
    const release = holdRecordOf(question)
    expect(await say(question, 'ann', 'yes')).toBeNull()
    expect(await outcomeOf(asker)).toMatchObject({ value: 'yes' })
    expect((await question.describe()).status.name).toBe('RUNNING')
    release()
    await question.result()
  })

  it('comes too late once the asker took the question back', async () => {
    const { asker, question } = await ask(yesOrNo)
    await asker.signal(takeBack, 'first')
    expect(await outcomeOf(asker)).toMatchObject({ state: 'cancelled' })
    expect(await question.result()).toMatchObject({ state: 'cancelled', comment: 'it is of no use any more' })
    expect((await recorded(question)).map(({ action }) => action)).toContain('clarification.cancelled')
    await record('clarification', 'cancelled', question)
  })

  it('is one of two hundred at once, of which one counts', async () => {
    const { asker, question } = await ask({ ...yesOrNo, who: [] })
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => signal(question, `person-${index}`, 'yes').catch(() => undefined)),
    )
    const outcome = await outcomeOf(asker)
    expect(outcome).toMatchObject({ state: 'answered', value: 'yes' })
    expect(outcome.by).toHaveLength(1)
  })

  it('of a megabyte is refused', async () => {
    const question = await askAlone({ ...yesOrNo, options: [] })
    const huge = 'x'.repeat(1_000_000)
    expect(await say(question, 'ann', huge)).toBe('TooLong')
    expect(await say(question, huge, 'yes')).toBe('TooLong')
    expect(await say(question, 'ann', 'yes', huge)).toBe('TooLong')
    expect(await refusal(() => question.executeUpdate(comment, { args: [{ by: 'ann', text: huge }] }))).toBe('TooLong')
    expect(await refusal(() => question.executeUpdate(delegate, { args: [{ by: huge, to: 'dora' }] }))).toBe('TooLong')
    await signal(question, 'ann', huge)
    expect(await status(question)).toMatchObject({ state: 'open', answers: [], remarks: [] })
    expect(await say(question, 'ann', 'yes')).toBeNull()
  })

  it('of markup and escape sequences is text, or is refused', async () => {
    const question = await askAlone({ ...yesOrNo, options: [] })
    expect(await say(question, 'ann', '\u001b]0;owned\u0007yes')).toBe('Invalid')
    const html = '<script>alert(1)</script>'
    expect(await say(question, 'ann', html, `\u001b[2J${html}`)).toBeNull()
    expect(await question.result()).toMatchObject({ value: html, comment: html })
  })

  it('of no form at all is logged, and changes nothing', async () => {
    const question = await askAlone({ ...yesOrNo, options: [] })
    const payloads = [
      null,
      7,
      true,
      'yes',
      [],
      {},
      { by: 1, value: 2 },
      { by: 'ann' },
      { by: 'ann', value: null },
      undefined,
    ]
    for (const payload of payloads) {
      await question.signal(reply, payload as never)
      expect(await refusal(() => question.executeUpdate(answer, { args: [payload as never] }))).toBe('Invalid')
      expect(await refusal(() => question.executeUpdate(comment, { args: [payload as never] }))).toBe('Invalid')
      expect(await refusal(() => question.executeUpdate(delegate, { args: [payload as never] }))).toBe('Invalid')
    }
    await question.signal('reply')
    await question.signal('nobody-hears-this', 1)
    expect(await status(question)).toMatchObject({ state: 'open', answers: [], remarks: [], delegations: [] })
    expect(await say(question, 'ann', 'yes')).toBeNull()
    expect(await question.result()).toMatchObject({ value: 'yes' })
    await record('clarification', 'malformed-replies', question)
  })

  it.each([
    ['an unknown encoding', 'foo/bar', '{"by":"ann","value":"yes"}'],
    ['broken JSON', 'json/plain', '{"by":'],
  ])('that can not be read, of %s, is refused, and the next one counts', async (_, encoding, data) => {
    const question = await askAlone(yesOrNo)
    const bytes = (text: string) => new TextEncoder().encode(text)
    const { client, namespace } = world()
    await client.workflowService.signalWorkflowExecution({
      ...{ namespace, workflowExecution: { workflowId: question.workflowId }, signalName: 'reply' },
      input: { payloads: [{ metadata: { encoding: bytes(encoding) }, data: bytes(data) }] },
    })
    expect(await status(question)).toMatchObject({ state: 'open', answers: [] })
    expect(await say(question, 'ann', 'yes')).toBeNull()
    expect(await question.result()).toMatchObject({ value: 'yes' })
  })

  it('ends with the workflow, where somebody cancels that', async () => {
    const { asker, question } = await ask(yesOrNo)
    await question.cancel()
    expect(await outcomeOf(asker)).toMatchObject({ state: 'cancelled', comment: 'its workflow was cancelled' })
  })

  it('that takes back what is asked may be of no form, too', async () => {
    const question = await askAlone(yesOrNo)
    await question.signal(cancel, null as never)
    expect(await question.result()).toMatchObject({ state: 'cancelled', comment: '' })
  })
})
