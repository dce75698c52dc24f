import { beforeEach, describe, expect, it } from 'vitest'
import type { Forge, MergeRequest, NewPullRequest } from '#activities/forge/port'
import type { PullRequest, Sha } from '#domain/pull-request'
import type { AuditEntry } from '#ledger/port'

/** A forge with one repository that has a commit on `main`, its protected branch, and what people do to it. */
export type ForgeWorld = {
  forge: Forge
  repo: string
  /** Pushes a new commit on a branch, which starts at `main` when it is new. */
  push(branch: string): Promise<Sha>
  /** Pushes a branch that conflicts with `main`. */
  pushConflict(branch: string): Promise<Sha>
  /** Points a branch to a commit that is there, or deletes it, as a push would. */
  setBranch(branch: string, sha: Sha | null): Promise<void>
  /** A merge of `head` into `base` that no branch has. */
  candidate(base: Sha, head: Sha): Promise<{ commit: Sha; tree: Sha }>
  /** Two commits on `base`, one after the other, that no branch has. */
  chain(base: Sha): Promise<{ commit: Sha; tree: Sha }>
  /** The tree of a commit. */
  treeOf(commit: Sha): Promise<Sha>
  /** Moves a branch without the forge's knowledge, as a lander that was killed before it wrote its record. */
  moveSilently(branch: string, from: Sha, to: Sha): Promise<void>
  /** From now on these branches are protected. */
  protect(branches: string[]): void
  /** The audit trail, oldest first. */
  audit(): Promise<AuditEntry[]>
  /** From now on no entry can be written. */
  breakAudit(): Promise<void>
  close(): Promise<void>
}

const NOBODY = '0123456789'.repeat(4)

/** What every forge promises, whoever its vendor is. */
export function forgeContract(name: string, makeWorld: () => Promise<ForgeWorld>): void {
  describe(`the forge ${name}`, () => {
    let world: ForgeWorld
    let forge: Forge
    let repo: string
    beforeEach(async () => {
      world = await makeWorld()
      ;({ forge, repo } = world)
      return () => world.close()
    })

    const wanted = (changes: Partial<NewPullRequest> = {}): NewPullRequest => ({
      ...{
        title: 'Add a basket',
        body: 'text',
        head: 'feature',
        base: 'main',
        author: 'ann',
        draft: false,
        labels: [],
      },
      ...changes,
    })
    async function open(changes: Partial<NewPullRequest> = {}): Promise<PullRequest> {
      const head = changes.head ?? 'feature'
      if (!(await forge.branch(repo, head))) await world.push(head)
      const outcome = await forge.createPullRequest(repo, wanted({ ...changes, head }))
      if (outcome.outcome !== 'created') throw new Error(outcome.detail)
      return outcome.pullRequest
    }
    async function requestFor(pullRequest: PullRequest): Promise<MergeRequest> {
      const expectedBase = (await forge.branch(repo, 'main')) ?? ''
      const candidate = await world.candidate(expectedBase, pullRequest.head.sha)
      const at = '2026-01-01T00:00:00.000Z'
      const expected = { base: 'main', expectedHead: pullRequest.head.sha, expectedBase }
      return { ...candidate, ...expected, method: 'merge', at, actor: 'queue' }
    }
    const read = async (number: number) => (await forge.getPullRequest(repo, number)) as PullRequest
    const allHints = () => forge.takeHints(repo, 1000)

    describe('opening a pull request', () => {
      it('numbers it and answers what it is', async () => {
        const head = await world.push('feature')
        const opened = await open({ labels: ['x'], title: '  Add a basket ' })
        expect(opened).toMatchObject({ number: 1, state: 'open', title: 'Add a basket', labels: ['x'], merged: null })
        expect(opened.head).toEqual({ ref: 'feature', sha: head })
        expect(opened.base).toEqual({ ref: 'main', sha: await forge.branch(repo, 'main') })
        expect(opened.mergeable).toBe('clean')
        expect(await read(1)).toEqual(opened)
      })

      it('gives each its own number, whoever races', async () => {
        const heads = ['a', 'b', 'c', 'd']
        for (const head of heads) await world.push(head)
        const opened = await Promise.all(heads.map((head) => open({ head })))
        expect(opened.map(({ number }) => number).sort()).toEqual([1, 2, 3, 4])
      })

      it('refuses a second one for the same head, and names the first', async () => {
        const first = await open()
        const outcome = await forge.createPullRequest(repo, wanted())
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'duplicate', existing: first.number })
      })

      it('opens one of two that race for the same head', async () => {
        await world.push('feature')
        const outcomes = await Promise.all([1, 2, 3].map(() => forge.createPullRequest(repo, wanted())))
        expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1)
      })

      it('allows another one for a head whose first is closed', async () => {
        const first = await open()
        await forge.updatePullRequest(repo, first.number, { state: 'closed' }, 'ann')
        expect((await open()).number).toBe(2)
      })

      it.each(['-f', '--upload-pack=x', '../x', 'a b', 'a\u0007b', ''])('refuses the branch name %j', async (head) => {
        const outcome = await forge.createPullRequest(repo, wanted({ head }))
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'invalid-branch-name' })
      })

      it('refuses an unknown head, and names the nearest branches', async () => {
        await world.push('feature')
        const outcome = await forge.createPullRequest(repo, wanted({ head: 'featrue' }))
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'unknown-head' })
        expect(outcome.outcome === 'refused' && outcome.detail).toContain('feature')
      })

      it('refuses an unknown base', async () => {
        await world.push('feature')
        const outcome = await forge.createPullRequest(repo, wanted({ base: 'mian' }))
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'unknown-base' })
      })

      it('refuses a base that anyone may write, and says which are protected and what to do', async () => {
        await world.push('evil')
        await world.push('feature')
        const outcome = await forge.createPullRequest(repo, wanted({ base: 'evil' }))
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'base-not-protected' })
        expect(outcome.outcome === 'refused' && outcome.detail).toMatch(/evil .*protects main\. Add evil to `base:`/)
        expect(await forge.listPullRequests(repo, { state: 'all' })).toEqual([])
      })

      it('allows each base that is protected', async () => {
        await world.push('next')
        world.protect(['main', 'next'])
        expect((await open({ base: 'next' })).base.ref).toBe('next')
      })

      it('refuses head and base that are equal', async () => {
        const outcome = await forge.createPullRequest(repo, wanted({ head: 'main' }))
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'same-branch' })
      })

      it('refuses a head with nothing that the base lacks', async () => {
        await world.setBranch('feature', await forge.branch(repo, 'main'))
        const outcome = await forge.createPullRequest(repo, wanted())
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'no-commits-between' })
      })

      it('takes texts as long as they may be, counted in characters', async () => {
        const texts = { title: '😀'.repeat(256), body: 'x'.repeat(65_536), labels: Array(20).fill('é'.repeat(50)) }
        expect(await open(texts)).toMatchObject(texts)
      })

      it.each([
        ['an empty title', { title: ' ' }, 'invalid-title'],
        ['a longer title', { title: 'x'.repeat(257) }, 'invalid-title'],
        ['a longer body, in bytes', { body: 'é'.repeat(32_769) }, 'invalid-body'],
        ['a longer label', { labels: ['ok', 'x'.repeat(51)] }, 'invalid-labels'],
        ['more labels', { labels: Array<string>(21).fill('x') }, 'invalid-labels'],
      ])('refuses %s', async (_, changes, reason) => {
        await world.push('feature')
        expect(await forge.createPullRequest(repo, wanted(changes))).toMatchObject({ outcome: 'refused', reason })
        expect(await forge.listPullRequests(repo, { state: 'all' })).toEqual([])
      })

      it('does not know an unknown repository', async () => {
        await expect(forge.createPullRequest('nowhere', wanted())).rejects.toMatchObject({ kind: 'not-found' })
        expect(await forge.getPullRequest('nowhere', 1)).toBeNull()
        expect(await forge.branch('nowhere', 'main')).toBeNull()
      })
    })

    describe('a pull request', () => {
      it('that nobody opened is null', async () => {
        expect(await forge.getPullRequest(repo, 7)).toBeNull()
        await expect(forge.mergeability(repo, 7)).rejects.toMatchObject({ kind: 'not-found' })
      })

      it('follows its head', async () => {
        const { number } = await open()
        const head = await world.push('feature')
        expect((await read(number)).head.sha).toBe(head)
      })

      it('is closed when its head branch is deleted, and remembers the head', async () => {
        const { number, head } = await open()
        await world.setBranch('feature', null)
        expect(await read(number)).toMatchObject({ state: 'closed', head: { sha: head.sha } })
      })

      it('reopens when its head is back', async () => {
        const { number, head } = await open()
        await world.setBranch('feature', null)
        await read(number)
        await expect(forge.updatePullRequest(repo, number, { state: 'open' }, 'ann')).rejects.toMatchObject({
          kind: 'conflict',
        })
        await world.setBranch('feature', head.sha)
        expect((await forge.updatePullRequest(repo, number, { state: 'open' }, 'ann')).state).toBe('open')
      })

      it('stays as it is when its base is protected no more, but does not reopen', async () => {
        const { number } = await open()
        world.protect([])
        expect((await read(number)).state).toBe('open')
        await forge.updatePullRequest(repo, number, { state: 'closed' }, 'ann')
        const reopened = forge.updatePullRequest(repo, number, { state: 'open' }, 'ann')
        await expect(reopened).rejects.toMatchObject({ kind: 'conflict' })
      })

      it('changes its texts, labels and draft', async () => {
        const { number } = await open({ draft: true })
        const changes = { title: 'Other', body: 'b', draft: false, labels: ['y', 'z'] }
        expect(await forge.updatePullRequest(repo, number, changes, 'ann')).toMatchObject(changes)
        expect(await read(number)).toMatchObject(changes)
      })

      it.each([
        ['an empty title', { title: ' ' }],
        ['a longer title', { title: 'x'.repeat(257) }],
        ['a longer body', { body: 'x'.repeat(65_537) }],
        ['a longer label', { labels: ['x'.repeat(51)] }],
        ['more labels', { labels: Array<string>(21).fill('x') }],
      ])('does not take %s later either', async (_, changes) => {
        const opened = await open()
        const updated = forge.updatePullRequest(repo, opened.number, changes, 'ann')
        await expect(updated).rejects.toMatchObject({ kind: 'invalid' })
        expect(await read(opened.number)).toEqual(opened)
      })

      it('moves to another protected base', async () => {
        await world.push('next')
        world.protect(['main', 'next'])
        const { number } = await open()
        await forge.updatePullRequest(repo, number, { base: 'next' }, 'bob')
        expect((await read(number)).base).toEqual({ ref: 'next', sha: await forge.branch(repo, 'next') })
        expect((await world.audit()).at(-1)).toMatchObject({
          action: 'pr.edited',
          actor: 'bob',
          details: { base: 'next' },
        })
      })

      it.each(['nowhere', 'evil', 'feature'])('does not move to the base %s', async (base) => {
        await world.push('evil')
        const opened = await open()
        const moved = forge.updatePullRequest(repo, opened.number, { base }, 'ann')
        await expect(moved).rejects.toMatchObject({ kind: 'invalid' })
        expect(await read(opened.number)).toEqual(opened)
      })

      it('that is closed keeps its base', async () => {
        await world.push('next')
        world.protect(['main', 'next'])
        const { number } = await open()
        await forge.updatePullRequest(repo, number, { state: 'closed' }, 'ann')
        const moved = forge.updatePullRequest(repo, number, { base: 'next' }, 'ann')
        await expect(moved).rejects.toMatchObject({ kind: 'conflict' })
      })

      it('tells a conflict with its base', async () => {
        await world.pushConflict('feature')
        const { number, mergeable } = await open()
        expect(mergeable).toBe('conflict')
        expect(await forge.mergeability(repo, number)).toBe('conflict')
      })

      it('is listed by state, sorted by number', async () => {
        for (const head of ['a', 'b', 'c']) await open({ head })
        await forge.updatePullRequest(repo, 1, { state: 'closed' }, 'ann')
        await world.setBranch('b', null)
        const numbers = async (state: 'open' | 'closed' | 'merged' | 'all') =>
          (await forge.listPullRequests(repo, { state })).map(({ number }) => number)
        expect(await numbers('closed')).toEqual([1, 2])
        expect(await numbers('open')).toEqual([3])
        expect(await numbers('merged')).toEqual([])
        expect(await numbers('all')).toEqual([1, 2, 3])
      })
    })

    describe('the conversation', () => {
      it('binds a review to the head that was reviewed', async () => {
        const { number, head } = await open()
        await forge.submitReview(repo, number, { author: 'bob', state: 'approved', head: head.sha, body: 'fine' })
        await world.push('feature')
        expect((await read(number)).reviews).toMatchObject([{ author: 'bob', state: 'approved', head: head.sha }])
      })

      it('takes a review with the same key for one, however often it comes', async () => {
        const { number, head } = await open()
        const review = { author: 'bob', state: 'approved', head: head.sha, body: 'fine' } as const
        const submit = (key?: string) => forge.submitReview(repo, number, review, null, key)
        const [first, again] = await Promise.all([submit('answer 1'), submit('answer 1')])
        expect(await submit('answer 1')).toEqual(first)
        expect(again).toEqual(first)
        expect((await read(number)).reviews).toHaveLength(1)
        await submit('answer 2')
        await submit()
        expect((await read(number)).reviews).toHaveLength(3)
        expect((await world.audit()).filter(({ action }) => action === 'pr.reviewed')).toHaveLength(3)
      })

      it('takes no comment and no review of more than 64 KiB', async () => {
        const { number, head } = await open()
        const body = 'x'.repeat(65_537)
        const refused = { kind: 'invalid' }
        await expect(forge.addComment(repo, number, 'ann', body)).rejects.toMatchObject(refused)
        const review = { author: 'bob', state: 'approved', head: head.sha, body } as const
        await expect(forge.submitReview(repo, number, review)).rejects.toMatchObject(refused)
        expect([await forge.listComments(repo, number), (await read(number)).reviews]).toEqual([[], []])
      })

      it('has one comment per key, edited in its place', async () => {
        const { number } = await open()
        const first = await forge.upsertComment(repo, number, 'decision', 'one')
        await forge.addComment(repo, number, 'ann', 'hello')
        const second = await forge.upsertComment(repo, number, 'decision', 'two')
        expect(second.id).toBe(first.id)
        const comments = await forge.listComments(repo, number)
        expect(comments.map(({ key, body }) => [key, body])).toEqual([
          ['decision', 'two'],
          [null, 'hello'],
        ])
      })

      it('numbers comments as they come, and knows the newest of a person', async () => {
        const { number, newestComment } = await open()
        expect(newestComment).toBeNull()
        await forge.upsertComment(repo, number, 'decision', 'one')
        expect((await read(number)).newestComment).toBeNull()
        const written = [
          await forge.addComment(repo, number, 'ann', 'a'),
          await forge.addComment(repo, number, 'bob', 'b'),
        ]
        await forge.upsertComment(repo, number, 'reply', 'two')
        expect(await read(number)).toMatchObject({ newestComment: written[1]!.id })
        expect(await forge.listPullRequests(repo, { state: 'open' })).toMatchObject([{ newestComment: written[1]!.id }])
        const ids = (await forge.listComments(repo, number)).map(({ id }) => Number(id))
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
      })

      it('answers a comment with reactions, each once', async () => {
        const { number } = await open()
        const { id, reactions } = await forge.addComment(repo, number, 'ann', '/switchyard merge')
        const other = await forge.addComment(repo, number, 'ann', 'hello')
        expect(reactions).toEqual([])
        for (const reaction of ['eyes', '+1', '+1'] as const) await forge.react(repo, number, id, reaction)
        const comments = await forge.listComments(repo, number)
        expect(comments.map((comment) => [comment.id, comment.reactions])).toEqual([
          [id, ['+1', 'eyes']],
          [other.id, []],
        ])
      })

      it('keeps the reactions to a comment of its own that is edited', async () => {
        const { number } = await open()
        const { id } = await forge.upsertComment(repo, number, 'decision', 'one')
        await forge.react(repo, number, id, '-1')
        expect(await forge.upsertComment(repo, number, 'decision', 'two')).toMatchObject({ id, reactions: ['-1'] })
      })

      it.each(['999', 'x', '1e400'])('does not react to the comment %s, which is not there', async (id) => {
        const { number } = await open()
        await expect(forge.react(repo, number, id, '+1')).rejects.toMatchObject({ kind: 'invalid' })
      })

      it('does not react to a comment of another PR', async () => {
        const { number } = await open()
        const { id } = await forge.addComment(repo, (await open({ head: 'other' })).number, 'ann', 'hello')
        await expect(forge.react(repo, number, id, '+1')).rejects.toMatchObject({ kind: 'invalid' })
      })

      it('changes nothing when a keyed comment is written again with the same body', async () => {
        const { number } = await open()
        const first = await forge.upsertComment(repo, number, 'decision', 'one')
        expect(await forge.upsertComment(repo, number, 'decision', 'one')).toEqual(first)
      })

      it('has one check per name and head', async () => {
        const check = { name: 'switchyard', status: 'queued', conclusion: null, summary: '', detailsUrl: null } as const
        await forge.setCheck(repo, NOBODY, check)
        await forge.setCheck(repo, NOBODY, { ...check, status: 'completed', conclusion: 'success' })
        expect(await forge.listChecks(repo, NOBODY)).toEqual([{ ...check, status: 'completed', conclusion: 'success' }])
      })
    })

    describe('the audit trail', () => {
      const acts = async () =>
        (await world.audit())
          .filter(({ action }) => action.startsWith('pr.'))
          .map(({ action, actor, number }) => [action, actor, number])

      it('tells who opened, edited, reviewed, closed and reopened a PR', async () => {
        const { number, head } = await open()
        await forge.updatePullRequest(repo, number, { title: 'Other', labels: ['x'] }, 'bob')
        const approval = { author: 'cay', state: 'approved', head: head.sha, body: '' } as const
        await forge.submitReview(repo, number, approval, 'snapshot-1')
        await forge.updatePullRequest(repo, number, { state: 'closed' }, 'dan')
        await forge.updatePullRequest(repo, number, { state: 'open' }, 'eve')
        expect(await acts()).toEqual([
          ['pr.created', 'ann', number],
          ['pr.edited', 'bob', number],
          ['pr.reviewed', 'cay', number],
          ['pr.closed', 'dan', number],
          ['pr.reopened', 'eve', number],
        ])
        expect((await world.audit()).map(({ details }) => details)).toContainEqual({ fields: 'labels,title' })
        expect((await world.audit()).find(({ action }) => action === 'pr.reviewed')?.snapshotId).toBe('snapshot-1')
      })

      it('tells of a repeated act once', async () => {
        const { number } = await open()
        await forge.createPullRequest(repo, wanted({ author: 'bob' }))
        await forge.updatePullRequest(repo, number, { state: 'closed' }, 'ann')
        await forge.updatePullRequest(repo, number, { state: 'closed' }, 'bob')
        expect(await acts()).toEqual([
          ['pr.created', 'ann', number],
          ['pr.closed', 'ann', number],
        ])
      })

      it('has an entry for every act, for what can not be audited does not happen', async () => {
        const opened = await open()
        await world.breakAudit()
        const { number, head } = opened
        const review = { author: 'bob', state: 'approved', head: head.sha, body: '' } as const
        await world.push('other')
        await expect(forge.createPullRequest(repo, wanted({ head: 'other' }))).rejects.toThrow()
        await expect(forge.updatePullRequest(repo, number, { title: 'Other' }, 'bob')).rejects.toThrow()
        await expect(forge.submitReview(repo, number, review)).rejects.toThrow()
        expect(await forge.getPullRequest(repo, number + 1)).toBeNull()
        expect(await read(number)).toEqual(opened)
      })

      it('tells that a PR was closed because its branch went', async () => {
        const { number } = await open()
        await world.setBranch('feature', null)
        await read(number)
        await read(number)
        expect((await acts()).slice(1)).toEqual([['pr.closed', 'switchyard', number]])
      })
    })

    describe('merging', () => {
      it('moves the base to the tested commit and marks the PR merged', async () => {
        const opened = await open()
        const request = await requestFor(opened)
        const outcome = await forge.merge(repo, opened.number, request)
        expect(outcome).toEqual({ outcome: 'merged', sha: request.commit, tree: request.tree, at: request.at })
        expect(await forge.branch(repo, 'main')).toBe(request.commit)
        expect(await read(opened.number)).toMatchObject({
          state: 'merged',
          merged: { sha: request.commit, tree: request.tree, method: 'merge', at: request.at },
          head: { sha: request.expectedHead },
          base: { sha: request.expectedBase },
        })
      })

      it('answers merged again for the same commit, also after the base moved on', async () => {
        const opened = await open()
        const request = await requestFor(opened)
        const first = await forge.merge(repo, opened.number, request)
        await world.push('main')
        expect(await forge.merge(repo, opened.number, request)).toEqual(first)
      })

      it('finishes a landing that was killed between the ref and the record', async () => {
        const opened = await open()
        const request = await requestFor(opened)
        await world.moveSilently('main', request.expectedBase, request.commit)
        expect(await forge.merge(repo, opened.number, request)).toMatchObject({
          outcome: 'merged',
          sha: request.commit,
        })
        expect((await read(opened.number)).state).toBe('merged')
      })

      it('finishes such a landing after others landed, and after its branch is gone', async () => {
        const opened = await open()
        const request = await requestFor(opened)
        await world.moveSilently('main', request.expectedBase, request.commit)
        const tip = await world.push('main')
        await world.setBranch('feature', null)
        await read(opened.number)
        expect(await forge.merge(repo, opened.number, request)).toMatchObject({
          outcome: 'merged',
          sha: request.commit,
        })
        expect((await read(opened.number)).state).toBe('merged')
        expect(await forge.branch(repo, 'main')).toBe(tip)
      })

      describe('by a chain of commits, or by the head itself,', () => {
        const rebased = async (request: MergeRequest): Promise<MergeRequest> => ({
          ...request,
          ...(await world.chain(request.expectedBase)),
          method: 'rebase',
        })
        const forwarded = async (request: MergeRequest): Promise<MergeRequest> => ({
          ...request,
          commit: request.expectedHead,
          tree: await world.treeOf(request.expectedHead),
          method: 'fast-forward',
        })
        const methods = [
          ['rebase', rebased],
          ['fast-forward', forwarded],
        ] as const

        it.each(methods)('moves the base to the last of them: %s', async (method, requested) => {
          const opened = await open()
          const request = await requested(await requestFor(opened))
          expect(await forge.merge(repo, opened.number, request)).toMatchObject({ outcome: 'merged' })
          expect(await forge.branch(repo, 'main')).toBe(request.commit)
          const { commit: sha, tree, at } = request
          expect((await read(opened.number)).merged).toEqual({ sha, tree, method, at })
        })

        it.each(methods)('finishes one that was killed between the ref and the record: %s', async (_, requested) => {
          const opened = await open()
          const request = await requested(await requestFor(opened))
          await world.moveSilently('main', request.expectedBase, request.commit)
          const tip = await world.push('main')
          for (let attempt = 0; attempt < 2; attempt += 1) {
            const outcome = await forge.merge(repo, opened.number, request)
            expect(outcome).toMatchObject({ outcome: 'merged', sha: request.commit })
          }
          expect((await read(opened.number)).state).toBe('merged')
          expect(await forge.branch(repo, 'main')).toBe(tip)
        })

        it.each(methods)('refuses a base that moved: %s', async (_, requested) => {
          const opened = await open()
          const request = await requested(await requestFor(opened))
          const base = await world.push('main')
          const outcome = await forge.merge(repo, opened.number, request)
          expect(outcome).toMatchObject({ outcome: 'refused', reason: 'base-moved', actual: base })
          expect(await forge.branch(repo, 'main')).toBe(base)
        })

        it.each(methods)('refuses a head that moved: %s', async (_, requested) => {
          const opened = await open()
          const request = await requested(await requestFor(opened))
          const actual = await world.push('feature')
          const outcome = await forge.merge(repo, opened.number, request)
          expect(outcome).toMatchObject({ outcome: 'refused', reason: 'head-moved', actual })
        })

        it.each(methods)('refuses a base that it does not descend from: %s', async (_, requested) => {
          const opened = await open()
          const request = await requested(await requestFor(opened))
          const expectedBase = await world.push('main')
          const outcome = await forge.merge(repo, opened.number, { ...request, expectedBase })
          expect(outcome).toMatchObject({ outcome: 'refused', reason: 'conflict' })
          expect(await forge.branch(repo, 'main')).toBe(expectedBase)
        })

        it('refuses a fast-forward to anything but the head', async () => {
          const opened = await open()
          const request = { ...(await rebased(await requestFor(opened))), method: 'fast-forward' as const }
          const outcome = await forge.merge(repo, opened.number, request)
          expect(outcome).toMatchObject({ outcome: 'refused', reason: 'conflict' })
          expect(await forge.branch(repo, 'main')).toBe(request.expectedBase)
        })
      })

      it('refuses a head that moved', async () => {
        const opened = await open()
        const request = await requestFor(opened)
        const head = await world.push('feature')
        const outcome = await forge.merge(repo, opened.number, request)
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'head-moved', actual: head })
        expect(await forge.branch(repo, 'main')).toBe(request.expectedBase)
      })

      it('refuses a base that moved', async () => {
        const opened = await open()
        const request = await requestFor(opened)
        const base = await world.push('main')
        const outcome = await forge.merge(repo, opened.number, request)
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'base-moved', actual: base })
        expect(await forge.branch(repo, 'main')).toBe(base)
        expect((await read(opened.number)).state).toBe('open')
      })

      it('refuses a PR that has another base by now, though both are at the same commit', async () => {
        world.protect(['main', 'release'])
        const opened = await open()
        const request = await requestFor(opened)
        await world.setBranch('release', request.expectedBase)
        await forge.updatePullRequest(repo, opened.number, { base: 'release' }, 'ann')
        const outcome = await forge.merge(repo, opened.number, request)
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'retargeted' })
        expect(await forge.branch(repo, 'main')).toBe(request.expectedBase)
        expect(await forge.branch(repo, 'release')).toBe(request.expectedBase)
        expect((await read(opened.number)).state).toBe('open')
      })

      it('finishes a landing that was killed, into the base that it was for, though the PR has another by now', async () => {
        world.protect(['main', 'release'])
        const opened = await open()
        const request = await requestFor(opened)
        await world.setBranch('release', request.expectedBase)
        await world.moveSilently('main', request.expectedBase, request.commit)
        await forge.updatePullRequest(repo, opened.number, { base: 'release' }, 'ann')
        expect(await forge.merge(repo, opened.number, request)).toMatchObject({ outcome: 'merged' })
        expect(await read(opened.number)).toMatchObject({ state: 'merged', base: { ref: 'main' } })
        expect(await forge.branch(repo, 'release')).toBe(request.expectedBase)
      })

      it('refuses a draft', async () => {
        const opened = await open({ draft: true })
        const outcome = await forge.merge(repo, opened.number, await requestFor(opened))
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'blocked' })
      })

      it('refuses a closed PR', async () => {
        const opened = await open()
        await forge.updatePullRequest(repo, opened.number, { state: 'closed' }, 'ann')
        const outcome = await forge.merge(repo, opened.number, await requestFor(opened))
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'closed' })
      })

      it('refuses a PR that was merged by another commit', async () => {
        const opened = await open()
        const request = await requestFor(opened)
        await forge.merge(repo, opened.number, request)
        const other = await requestFor(opened)
        const outcome = await forge.merge(repo, opened.number, other)
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'already-merged', actual: request.commit })
      })

      it('refuses a commit that does not descend from the base', async () => {
        const opened = await open()
        const request = await requestFor(opened)
        const stray = await requestFor(opened)
        const base = await world.push('main')
        const outcome = await forge.merge(repo, opened.number, { ...stray, expectedBase: base })
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'conflict' })
        expect(await forge.branch(repo, 'main')).toBe(base)
        expect(request.expectedBase).not.toBe(base)
      })

      it('refuses a commit whose tree is not the tested one', async () => {
        const opened = await open()
        const request = await requestFor(opened)
        const outcome = await forge.merge(repo, opened.number, { ...request, tree: NOBODY })
        expect(outcome).toMatchObject({ outcome: 'refused', reason: 'conflict' })
      })

      it('lets exactly one of several racing landers win', async () => {
        const heads = ['a', 'b', 'c']
        const opened: PullRequest[] = []
        for (const head of heads) opened.push(await open({ head }))
        const requests = await Promise.all(opened.map(requestFor))
        const outcomes = await Promise.all(
          opened.map(({ number }, index) => forge.merge(repo, number, requests[index] as MergeRequest)),
        )
        const winner = outcomes.findIndex(({ outcome }) => outcome === 'merged')
        expect(await forge.branch(repo, 'main')).toBe(requests[winner]?.commit)
        const losers = outcomes.filter((_, index) => index !== winner)
        expect(losers).toMatchObject(losers.map(() => ({ outcome: 'refused', reason: 'base-moved' })))
        expect(await forge.listPullRequests(repo, { state: 'merged' })).toHaveLength(1)
      })

      it('answers merged to both of two attempts of the same landing', async () => {
        const opened = await open()
        const request = await requestFor(opened)
        const outcomes = await Promise.all([1, 2].map(() => forge.merge(repo, opened.number, request)))
        expect(outcomes.map(({ outcome }) => outcome)).toEqual(['merged', 'merged'])
      })

      it('can not be undone by reopening', async () => {
        const opened = await open()
        await forge.merge(repo, opened.number, await requestFor(opened))
        const reopened = forge.updatePullRequest(repo, opened.number, { state: 'open' }, 'ann')
        await expect(reopened).rejects.toMatchObject({ kind: 'conflict' })
      })

      it('does not know an unknown PR', async () => {
        const request = await requestFor(await open())
        await expect(forge.merge(repo, 99, request)).rejects.toMatchObject({ kind: 'not-found' })
      })
    })

    describe('deleting a branch', () => {
      it('deletes it where it is expected, once', async () => {
        const head = await world.push('feature')
        expect(await forge.deleteBranch(repo, 'feature', head)).toBe('deleted')
        expect(await forge.deleteBranch(repo, 'feature', head)).toBe('absent')
      })

      it('leaves one that moved', async () => {
        const head = await world.push('feature')
        const moved = await world.push('feature')
        expect(await forge.deleteBranch(repo, 'feature', head)).toBe('moved')
        expect(await forge.branch(repo, 'feature')).toBe(moved)
      })

      it('never deletes a protected one', async () => {
        const main = (await forge.branch(repo, 'main')) ?? ''
        expect(await forge.deleteBranch(repo, 'main', main)).toBe('protected')
        expect(await forge.branch(repo, 'main')).toBe(main)
      })

      it('keeps a merged PR merged, with its head', async () => {
        const opened = await open()
        await forge.merge(repo, opened.number, await requestFor(opened))
        await forge.deleteBranch(repo, 'feature', opened.head.sha)
        expect(await read(opened.number)).toMatchObject({ state: 'merged', head: opened.head })
      })
    })

    describe('hints', () => {
      it('tell of a new PR, a push to its head and a review, and are gone when taken', async () => {
        const { number, head } = await open()
        await allHints()
        await world.push('feature')
        await forge.submitReview(repo, number, { author: 'bob', state: 'approved', head: head.sha, body: '' })
        const kinds = (await allHints()).map((hint) => [hint.kind, hint.number])
        expect(kinds.sort()).toEqual([
          ['push', number],
          ['review', number],
        ])
        expect(await allHints()).toEqual([])
      })

      it('tell of a push to a base without a number', async () => {
        await allHints()
        await world.push('main')
        expect(await allHints()).toMatchObject([{ kind: 'push', number: null, ref: 'main' }])
      })

      it('tell of a base by its name, whatever PRs and protected bases there are', async () => {
        await world.push('next')
        world.protect(['main', 'next'])
        await open({ base: 'next' })
        await allHints()
        await world.push('next')
        await world.push('main')
        const bases = (await allHints()).filter(({ number }) => number === null)
        expect(bases.map(({ kind, ref }) => [kind, ref])).toEqual([
          ['push', 'next'],
          ['push', 'main'],
        ])
      })

      it('tell of the base that a landing moved, by its name', async () => {
        const opened = await open()
        await allHints()
        await forge.merge(repo, opened.number, await requestFor(opened))
        expect(await allHints()).toMatchObject([
          { kind: 'pull-request', number: opened.number, ref: 'feature' },
          { kind: 'push', number: null, ref: 'main' },
        ])
      })

      it('tell of a deleted head', async () => {
        const { number } = await open()
        await allHints()
        await world.setBranch('feature', null)
        expect(await allHints()).toMatchObject([{ kind: 'push', number, ref: 'feature' }])
      })

      it('are taken in parts', async () => {
        for (const head of ['a', 'b', 'c']) await open({ head })
        await allHints()
        for (const number of [1, 2, 3]) await forge.updatePullRequest(repo, number, { title: 'New' }, 'ann')
        expect((await forge.takeHints(repo, 2)).map((hint) => hint.number)).toEqual([1, 2])
        expect((await forge.takeHints(repo, 2)).map((hint) => hint.number)).toEqual([3])
      })

      it('have ids of their own', async () => {
        for (const head of ['a', 'b', 'c']) await open({ head })
        await world.push('a')
        const ids = (await allHints()).map(({ id }) => id)
        expect(new Set(ids).size).toBe(ids.length)
      })
    })
  })
}
