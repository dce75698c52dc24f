// Writes the published JSON Schemas of both configuration files to docs/schema.
import { mkdirSync, writeFileSync } from 'node:fs'
import { publishedSchemas } from '#config/json-schema'

const folder = new URL('../docs/schema/', import.meta.url)
mkdirSync(folder, { recursive: true })
for (const [name, text] of Object.entries(publishedSchemas())) writeFileSync(new URL(name, folder), text)
