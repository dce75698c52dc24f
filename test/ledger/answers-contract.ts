import { describe, expect, it } from 'vitest'
import { minute, rememberedAnswer } from './entries.ts'
import type { MakeLedger } from './fixtures.ts'

/** What every store promises of what people said. */
export function answersContract(makeLedger: MakeLedger): void {
  describe('a long text', () => {
    it('is found by its digest, whatever its length, and what is there stays', async () => {
      const ledger = await makeLedger()
      const text = '“Ü” 🧺\n'.repeat(100_000)
      await ledger.saveText('d1', text)
      await ledger.saveText('d1', 'another')
      expect(await ledger.text('d1')).toBe(text)
      expect(await ledger.text('d2')).toBeNull()
    })
  })

  describe('a remembered answer', () => {
    const question = { scope: 'repository', repo: 'shop', title: 'Which colour?', context: 'theme' } as const

    it('is found for the same question, and for no other', async () => {
      const ledger = await makeLedger()
      await ledger.rememberAnswer(rememberedAnswer())
      expect(await ledger.rememberedAnswer(question)).toEqual(rememberedAnswer())
      expect(await ledger.rememberedAnswer({ ...question, repo: 'other' })).toBeNull()
      expect(await ledger.rememberedAnswer({ ...question, scope: 'installation', repo: null })).toBeNull()
      expect(await ledger.rememberedAnswer({ ...question, title: 'Which size?' })).toBeNull()
      expect(await ledger.rememberedAnswer({ ...question, context: 'logo' })).toBeNull()
    })

    it('of the installation has no repository', async () => {
      const ledger = await makeLedger()
      const everywhere = rememberedAnswer({ scope: 'installation', repo: null })
      await ledger.rememberAnswer(everywhere)
      expect(await ledger.rememberedAnswer({ ...question, scope: 'installation', repo: null })).toEqual(everywhere)
      expect(await ledger.rememberedAnswer(question)).toBeNull()
    })

    it('may depend on a context of any length', async () => {
      const ledger = await makeLedger()
      const context = Array.from({ length: 5_000 }, (_, index) => index).join()
      await ledger.rememberAnswer(rememberedAnswer({ context }))
      expect((await ledger.rememberedAnswer({ ...question, context }))?.context).toBe(context)
    })

    it('gives way to a newer one, and never to the repetition of an older', async () => {
      const ledger = await makeLedger()
      const newer = rememberedAnswer({ value: 'blue', by: ['eve'], clarification: 'ask:2', at: minute(5) })
      await ledger.rememberAnswer(rememberedAnswer())
      await ledger.rememberAnswer(newer)
      await ledger.rememberAnswer(rememberedAnswer())
      expect(await ledger.rememberedAnswers({})).toEqual([newer])
    })

    it('is listed newest first, for a repository with those that hold everywhere', async () => {
      const ledger = await makeLedger()
      await ledger.rememberAnswer(rememberedAnswer({ id: 'a', at: minute(1) }))
      await ledger.rememberAnswer(rememberedAnswer({ id: 'b', at: minute(3), scope: 'installation', repo: null }))
      await ledger.rememberAnswer(rememberedAnswer({ id: 'c', at: minute(2), repo: 'other' }))
      const ids = async (filter: { repo?: string }) => (await ledger.rememberedAnswers(filter)).map(({ id }) => id)
      expect(await ids({})).toEqual(['b', 'c', 'a'])
      expect(await ids({ repo: 'shop' })).toEqual(['b', 'a'])
    })

    it('is forgotten once, and is not found any more', async () => {
      const ledger = await makeLedger()
      await ledger.rememberAnswer(rememberedAnswer())
      expect(await ledger.forgetAnswer('answer-1')).toBe(true)
      expect(await ledger.forgetAnswer('answer-1')).toBe(false)
      expect(await ledger.rememberedAnswer(question)).toBeNull()
    })
  })
}
