import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { publishedSchemas } from '#config/json-schema'
import { schemaFolder } from '#config/render'
import type { Undo } from './register.ts'

/** Writes the JSON Schema that the first line of a configuration file in `folder` names, where it is not there as it is now. */
export async function writeSchema(folder: string, name: 'policy' | 'installation', undo: Undo): Promise<string[]> {
  const file = join(folder, schemaFolder, `${name}.schema.json`)
  const text = publishedSchemas()[`${name}.schema.json`]!
  const before = await readFile(file, 'utf8').catch(() => null)
  if (before === text) return []
  undo.push(() => (before === null ? rm(file, { force: true }) : writeFile(file, before)))
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  return [file]
}

/** Whether a configuration file asks for the schema beside it. */
export const namesSchema = (text: string): boolean => text.includes(`$schema=./${schemaFolder}/`)
