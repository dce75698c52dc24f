import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile, lstat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addRepositoryToFile, findInstallation, loadInstallation, removeRepositoryFromFile } from '#config/load'

let root: string

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-config-')))
})

afterEach(async () => {
  await rm(root, { recursive: true, force: true })
})

async function put(path: string, text = ''): Promise<string> {
  const file = join(root, path)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, text)
  return file
}

describe('the home folder', () => {
  it.each([
    ['$SWITCHYARD_HOME', { SWITCHYARD_HOME: '/s', XDG_DATA_HOME: '/x', HOME: '/h' }, '/s'],
    ['the XDG data folder', { XDG_DATA_HOME: '/x', HOME: '/h' }, '/x/switchyard'],
    ['the default of XDG', { HOME: '/h' }, '/h/.local/share/switchyard'],
    ['the default of XDG, not a relative folder', { XDG_DATA_HOME: 'x', HOME: '/h' }, '/h/.local/share/switchyard'],
    ['the default of XDG, not an empty name', { SWITCHYARD_HOME: '', HOME: '/h' }, '/h/.local/share/switchyard'],
  ])('is %s', async (_, env, expected) => {
    expect((await findInstallation({ cwd: root, env })).home).toBe(expected)
  })
})

describe('the installation file', () => {
  it('is the one that --config names, before all others', async () => {
    const file = await put('flag.yaml')
    const env = { SWITCHYARD_CONFIG: await put('env.yaml'), SWITCHYARD_HOME: join(root, 'home') }
    await put('switchyard.yaml')
    expect(await findInstallation({ cwd: root, env, configFlag: 'flag.yaml' })).toEqual({
      file,
      home: join(root, 'home'),
    })
  })

  it('is the one that SWITCHYARD_CONFIG names, before those nearby', async () => {
    const file = await put('env.yaml')
    await put('switchyard.yaml')
    expect((await findInstallation({ cwd: root, env: { SWITCHYARD_CONFIG: 'env.yaml' } })).file).toBe(file)
  })

  it('is the nearest one upwards, before the one at home', async () => {
    await put('switchyard.yaml')
    const file = await put('a/switchyard.yaml')
    await put('home/switchyard.yaml')
    await mkdir(join(root, 'a/b/c'), { recursive: true })
    const found = await findInstallation({ cwd: join(root, 'a/b/c'), env: { SWITCHYARD_HOME: join(root, 'home') } })
    expect(found.file).toBe(file)
  })

  it('is the one at home, when there is none upwards', async () => {
    const file = await put('home/switchyard.yaml')
    await mkdir(join(root, 'a'))
    const found = await findInstallation({ cwd: join(root, 'a'), env: { SWITCHYARD_HOME: join(root, 'home') } })
    expect(found.file).toBe(file)
  })

  it('may not be there', async () => {
    const found = await findInstallation({ cwd: root, env: { SWITCHYARD_HOME: join(root, 'home') } })
    expect(found.file).toBeNull()
  })

  it.each([
    ['--config', { configFlag: 'none.yaml', env: {} }],
    ['SWITCHYARD_CONFIG', { env: { SWITCHYARD_CONFIG: 'none.yaml' } }],
  ])('must be there when %s names it', async (namedBy, how) => {
    const message = `${join(root, 'none.yaml')}:1:1: there is no such file, but ${namedBy} names it (make it with \`switchyard init\`)`
    await expect(findInstallation({ cwd: root, ...how })).rejects.toThrow(message)
  })
})

describe('loading', () => {
  it('resolves remotes against the home folder, not against the file', async () => {
    const file = await put('x/switchyard.yaml', 'repositories: [{ name: a, remote: forge/a.git }]')
    const loaded = await loadInstallation({ file, home: '/home' })
    expect(loaded.ok && loaded.config.repositories).toEqual([{ name: 'a', remote: '/home/forge/a.git' }])
  })

  it('without a file gives the defaults', async () => {
    const loaded = await loadInstallation({ file: null, home: '/home' })
    expect(loaded.ok && loaded.config.repositories).toEqual([])
  })

  it('gives the problems of a bad file', async () => {
    const file = await put('switchyard.yaml', '\nforg: local')
    const loaded = await loadInstallation({ file, home: '/home' })
    expect(loaded.ok ? [] : loaded.problems).toEqual([
      { file, line: 2, column: 1, path: 'forg', message: "unknown key 'forg'", hint: "did you mean 'forge'?" },
    ])
  })

  it('gives a problem for a file that can not be read', async () => {
    const loaded = await loadInstallation({ file: root, home: '/home' })
    expect(loaded.ok ? [] : loaded.problems.map((problem) => problem.message)).toEqual(["can't be read: EISDIR"])
  })
})

describe('editing the repositories', () => {
  const shop = { name: 'shop', remote: 'forge/shop.git' }
  const commented = `# our installation
forge: local # no account
# all of them
repositories:
  - { name: api, remote: forge/api.git } # the first
watch: { every: 30s } # often
`

  it('adds one and keeps every comment', async () => {
    const file = await put('switchyard.yaml', commented)
    await addRepositoryToFile(file, shop)
    expect(await readFile(file, 'utf8')).toBe(
      commented.replace('# the first\n', '# the first\n  - { name: shop, remote: forge/shop.git }\n'),
    )
  })

  it.each([
    ['an empty list', 'repositories: []\nforge: local\n'],
    ['no list', 'forge: local\n'],
    ['nothing', ''],
    ['only comments', '# nothing yet\n'],
  ])('adds one to a file with %s', async (_, text) => {
    const file = await put('switchyard.yaml', text)
    await addRepositoryToFile(file, shop)
    const loaded = await loadInstallation({ file, home: '/home' })
    expect(loaded.ok && loaded.config.repositories).toEqual([{ name: 'shop', remote: '/home/forge/shop.git' }])
  })

  it('makes the file where there is none', async () => {
    const file = join(root, 'new/switchyard.yaml')
    await addRepositoryToFile(file, shop)
    const loaded = await loadInstallation({ file, home: '/home' })
    expect(loaded.ok && loaded.config.repositories).toEqual([{ name: 'shop', remote: '/home/forge/shop.git' }])
  })

  it('takes one out and keeps the comments of the rest', async () => {
    const file = await put('switchyard.yaml', commented)
    await addRepositoryToFile(file, shop)
    expect(await removeRepositoryFromFile(file, 'Shop')).toBe(true)
    expect(await readFile(file, 'utf8')).toBe(commented)
  })

  it('takes out the last one', async () => {
    const file = await put('switchyard.yaml', 'repositories:\n  - { name: shop, remote: a }\n')
    await removeRepositoryFromFile(file, 'shop')
    expect(await readFile(file, 'utf8')).toBe('repositories: []\n')
  })

  it('says that there was nothing to take out', async () => {
    const file = await put('switchyard.yaml', commented)
    expect(await removeRepositoryFromFile(file, 'shop')).toBe(false)
  })

  it.each([
    ['a name that is there already', commented, { name: 'API', remote: 'x' }, "the repository 'API' is there already"],
    ['a name that is not allowed', commented, { name: '../x', remote: 'x' }, "'repositories.1.name' must be a name"],
    ['a file that is broken', 'forge: [', shop, 'is not valid YAML'],
  ])('changes nothing for %s', async (_, text, repository, message) => {
    const file = await put('switchyard.yaml', text)
    await expect(addRepositoryToFile(file, repository)).rejects.toThrow(message)
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  it('leaves no other file behind', async () => {
    const file = await put('switchyard.yaml', commented)
    await addRepositoryToFile(file, shop)
    expect(await readdir(root)).toEqual(['switchyard.yaml'])
  })

  it('writes through a symbolic link', async () => {
    const target = await put('dotfiles/switchyard.yaml', commented)
    const link = join(root, 'switchyard.yaml')
    await symlink(target, link)
    await addRepositoryToFile(link, shop)
    expect((await lstat(link)).isSymbolicLink()).toBe(true)
    expect(await readFile(target, 'utf8')).toContain('name: shop')
  })
})
