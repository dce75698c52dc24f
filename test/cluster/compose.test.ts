import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { parseInstallation } from '#config/installation-file'
import { createProgram } from '#client/cli'
import { roles } from '#contracts/roles'
import { DYNAMIC_CONFIG } from '#server/launch'
import { parse } from 'yaml'
import { composeText, readCompose, root, writtenCompose } from './compose.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const example = Object.fromEntries(
  [...read('ops/compose.env.example').matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]),
)
const filled = Object.fromEntries(Object.entries(example).map(([name, value]) => [name, value || 'secret']))
const { services, volumes } = readCompose(filled)
const all = Object.entries(services)
const ours = all.filter(([, { image }]) => image!.startsWith('switchyard:'))
const manifest = JSON.parse(read('package.json')) as { version: string }

/** Of a valid command line the words of its command and what it was given. */
async function parsed(words: string[]): Promise<object> {
  let input: object | null = null
  const program = createProgram({ stdout: new PassThrough() }, async (_, given) => void (input = given))
  await program.parseAsync(words, { from: 'user' })
  if (input === null) throw new Error(`${words.join(' ')} is no command`)
  return input
}

describe('docker-compose.yml', () => {
  test('is what the Compose Specification allows', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
    const valid = ajv.compile(JSON.parse(read('test/cluster/fixtures/compose-spec.json')) as object)
    valid(writtenCompose())
    expect(valid.errors).toBeNull()
    const wrong = structuredClone(writtenCompose()) as { services: Record<string, object> }
    Object.assign(wrong.services['cli']!, { comand: ['status'] })
    expect(valid(wrong)).toBe(false)
  })

  test.each(all)('%s runs an image of one exact version', (_, { image }) => {
    expect(image).toMatch(/^[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.]+)?$/)
  })

  test('our image is that of this version', () => {
    for (const [, { image, build }] of ours) expect([image, build]).toEqual([`switchyard:${manifest.version}`, '.'])
  })

  test.each(ours)('the command of %s is one of ours', async (_, { command }) => {
    await expect(parsed(command!)).resolves.toBeTypeOf('object')
    await expect(parsed([...command!, '--no-such-flag'])).rejects.toThrow(/unknown option/)
  })

  test('every role is polled by one service', async () => {
    const workers = ours.filter(([name]) => name.startsWith('worker-'))
    const given = await Promise.all(
      workers.map(async ([, { command }]) => (await parsed(command!)) as { roles: string }),
    )
    expect(given.flatMap((one) => one.roles.split(',')).sort()).toEqual([...roles].sort())
  })

  test.each(ours)('each variable of %s is one that somebody reads', (_, { environment }) => {
    const readers = [
      'src/config/load.ts',
      'tools/temporal/provision.mjs',
      'node_modules/pg/lib/connection-parameters.js',
    ]
    const reading = [
      ...[...readers, 'node_modules/@temporalio/envconfig/lib/envconfig-toml.js'].map(read),
      // The driver makes its names from those of its settings.
      `PG${'password'.toUpperCase()}`,
    ].join('\n')
    for (const name of Object.keys(environment!)) expect(reading.includes(name), name).toBe(true)
  })

  test('every variable of the example is used, and the example has every variable', () => {
    const used = [...composeText.matchAll(/\$\{(\w+)/g)].map(([, name]) => name!)
    expect(Object.keys(example).sort()).toEqual([...new Set(used)].sort())
  })

  test.each(['SWITCHYARD_STATE', 'TEMPORAL_DATABASE_PASSWORD', 'LEDGER_PASSWORD'])(
    'without %s it says that it must be set',
    (name) => {
      expect(() => readCompose({ ...filled, [name]: '' })).toThrow(new RegExp(`${name}: .*\\.env`))
    },
  )

  test.each(all)('%s waits for services that are there, and for health only of what has a check', (_, service) => {
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(services, name).toHaveProperty(name)
      if (condition === 'service_healthy') expect(services[name]!.healthcheck, name).toBeDefined()
    }
  })

  test.each(all)('%s publishes its ports to this machine only, and mounts what is there', (_, service) => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
    for (const volume of service.volumes ?? []) expect(volume, volume).toSatisfy(isThere)
  })

  test('what runs the code of pull requests may make namespaces, and is not root', () => {
    for (const [, { security_opt, user }] of ours) {
      expect(security_opt).toEqual(['seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'])
      expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    }
  })

  test('no service is privileged or on the network of the host', () => {
    for (const [name, service] of all) expect({ name, ...service }).not.toHaveProperty(['privileged'])
    expect(composeText).not.toMatch(/privileged|network_mode|cap_add/)
  })
})

function isThere(volume: string): boolean {
  const [host, inside] = volume.split(':')
  if (host!.startsWith('./')) return existsSync(join(root, host!))
  return host! in volumes || (host === filled['SWITCHYARD_STATE'] && inside === host)
}

test('the installation to begin with is valid, and keeps its ledger in the database beside it', () => {
  const loaded = parseInstallation(read('ops/switchyard.yaml'), 'ops/switchyard.yaml', '/srv')
  expect(loaded).toMatchObject({ ok: true, config: { isolation: 'required' } })
  const { POSTGRES_USER, POSTGRES_DB } = services['ledger-database']!.environment!
  const address = `postgres://${POSTGRES_USER}@ledger-database:5432/${POSTGRES_DB}`
  expect(loaded).toMatchObject({ config: { ledger: address } })
})

test('the cluster has the dynamic settings that the embedded server has', () => {
  const settings = parse(read('ops/temporal/dynamicconfig.yaml')) as Record<string, { value: unknown }[]>
  const flat = Object.entries(settings).map(([name, [only]]) => `${name}=${JSON.stringify(only!.value)}`)
  expect(flat).toEqual(DYNAMIC_CONFIG)
})

describe('Dockerfile', () => {
  const text = read('Dockerfile')

  test('starts from the Node that bootstrap brings, and ends as the command, not as root', () => {
    const version = /NODE_VERSION = '([\d.]+)'/.exec(read('scripts/bootstrap.mjs'))![1]
    const from = [...text.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)
    expect(new Set(from)).toEqual(new Set([`node:${version}-bookworm-slim`]))
    expect(/^USER (\w+)$/m.exec(text)?.[1]).toBe('node')
    expect(text).toMatch(/^ENTRYPOINT \["tini", "--", "switchyard"\]$/m)
  })

  test('copies what is there and what the package holds', () => {
    const { files } = JSON.parse(read('package.json')) as { files: string[] }
    const copied = [...text.matchAll(/^COPY --from=build \/build\/(\S+)/gm)].map(([, path]) => path!)
    const runs = files.filter((path) => !['docs', 'ARCHITECTURE.md'].includes(path))
    for (const path of [...runs, 'docs/schema'])
      expect(
        copied.some((one) => path.startsWith(one)),
        path,
      ).toBe(true)
    for (const path of copied.filter((one) => !['dist', 'node_modules'].includes(one)))
      expect(existsSync(join(root, path)), path).toBe(true)
  })

  test('its check of health is a command of ours', async () => {
    const [, words] = /^HEALTHCHECK .* CMD (\[.*\])$/m.exec(text)!
    const [program, ...rest] = JSON.parse(words!) as string[]
    expect(program).toBe('switchyard')
    await expect(parsed(rest)).resolves.toBeTypeOf('object')
  })

  test('the context that is sent holds all that is copied, and no history or secret', () => {
    const kept = read('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []))
    const sources = [...text.matchAll(/^COPY (?!--from)(.+) \.\/$/gm)].flatMap(([, paths]) => paths!.split(' '))
    for (const path of [...sources, 'src', 'scripts', 'tsconfig.build.json']) expect(kept).toContain(path)
    expect(kept.filter((path) => path.startsWith('.git') || path.startsWith('.env'))).toEqual([])
  })
})
