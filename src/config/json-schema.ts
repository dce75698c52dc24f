import { z } from 'zod'
import { installationSchema } from './installation-file.ts'
import { policySchema } from './policy-schema.ts'

/** The published JSON Schemas by file name in `docs/schema`, as text. */
export function publishedSchemas(): Record<string, string> {
  return {
    'policy.schema.json': render(policySchema, '.switchyard.yaml: the policy of a repository'),
    'installation.schema.json': render(installationSchema, 'switchyard.yaml: an installation of Switchyard'),
  }
}

function render(schema: z.ZodType, title: string): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`
}
