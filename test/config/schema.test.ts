import { readFile, readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { publishedSchemas } from '#config/json-schema'

const folder = new URL('../../docs/schema/', import.meta.url)

describe('the published JSON Schemas', () => {
  it.each(Object.entries(publishedSchemas()))(
    'are what the code says (else: node scripts/schema.ts): %s',
    async (name, text) => {
      expect(await readFile(new URL(name, folder), 'utf8')).toBe(text)
    },
  )

  it('are all of the folder', async () => {
    expect((await readdir(folder)).sort()).toEqual(Object.keys(publishedSchemas()).sort())
  })
})
