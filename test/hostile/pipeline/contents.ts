import { createCipheriv } from 'node:crypto'
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SampleRepository } from '../../support/repositories.ts'

/** What a pull request may contain that tools trip over. Each fills a branch, made from the base, which must land. */
export type Content = {
  name: string
  fill(sample: SampleRepository): Promise<void>
  /** A shell command that is true in a checkout of it. */
  holds: string
}

const megabyte = 1024 ** 2

/** Bytes of file names, in which everything but NUL and the slash may be. */
const oddNames: Buffer[] = [
  Buffer.from([0x62, 0xe9, 0xff, 0x2e, 0x74]),
  ...['two\nlines', 'a "quote"', "it's", '-rf', '--upload-pack=touch x', '$(touch planted)', 'back\\slash', ' ', 'é 🚀'].map((name) => Buffer.from(name)),
  Buffer.from('x'.repeat(255)),
  Buffer.from(`${'deep/'.repeat(60)}file`),
] // prettier-ignore

export const contents: Content[] = [
  { name: 'a-thousand-files', fill: aThousandFiles, holds: '[ "$(ls many | wc -l)" = 1000 ]' },
  { name: 'large-files', fill: largeFiles, holds: '[ "$(wc -c < large.txt)" -ge 20000000 ] && [ -s large.bin ]' },
  { name: 'odd-names', fill: names, holds: `[ "$(find odd -type f -print0 | tr -dc '\\0' | wc -c)" = ${oddNames.length} ]` },
  {
    name: 'links-and-modes',
    fill: linksAndModes,
    holds: '[ -L lib ] && [ -L loop ] && [ "$(readlink up)" = ../../../../etc/shadow ] && [ -x tool.sh ]',
  },
  {
    name: 'submodule-and-lfs',
    fill: submoduleAndPointer,
    holds: '[ -z "$(ls -A vendor/lib)" ] && head -1 model.bin | grep -q git-lfs',
  },
] // prettier-ignore

async function aThousandFiles(sample: SampleRepository): Promise<void> {
  await mkdir(join(sample.path, 'many'))
  for (let file = 0; file < 1000; file += 1) {
    await writeFile(join(sample.path, 'many', `${file}.txt`), `file ${file}\n`.repeat(20))
  }
}

async function largeFiles(sample: SampleRepository): Promise<void> {
  const line = (number: number) => `${number} the quick brown fox jumps over the lazy dog, again and again\n`
  const lines = Array.from({ length: (20 * megabyte) / line(100_000).length }, (_, number) => line(100_000 + number))
  await writeFile(join(sample.path, 'large.txt'), lines.join(''))
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, 2)).update(
    Buffer.alloc(20 * megabyte),
  )
  await writeFile(join(sample.path, 'large.bin'), noise)
  await writeFile(join(sample.path, 'one-line.json'), `["${'word '.repeat(megabyte / 5)}"]`)
}

async function names(sample: SampleRepository): Promise<void> {
  for (const name of oddNames) {
    const file = Buffer.concat([Buffer.from(join(sample.path, 'odd', '/')), name])
    await mkdir(file.subarray(0, file.lastIndexOf('/')), { recursive: true })
    await writeFile(file, 'content\n')
  }
}

async function linksAndModes(sample: SampleRepository): Promise<void> {
  const link = (target: string, name: string) => symlink(target, join(sample.path, name))
  await rm(join(sample.path, 'lib'), { recursive: true })
  await link('/etc', 'lib')
  await link('/etc/passwd', 'absolute')
  await link('../../../../etc/shadow', 'up')
  await link('nowhere', 'dangling')
  await link('loop', 'loop')
  await link('.', 'self')
  await chmod(join(sample.path, 'tool.sh'), 0o755)
}

async function submoduleAndPointer(sample: SampleRepository): Promise<void> {
  const modules = '[submodule "lib"]\n\tpath = vendor/lib\n\turl = https://example.test/lib.git\n\tupdate = none\n'
  await writeFile(join(sample.path, '.gitmodules'), modules)
  await writeFile(join(sample.path, '.gitattributes'), '*.bin filter=lfs diff=lfs merge=lfs -text\n')
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d'.repeat(32)}\nsize 12345\n`
  await writeFile(join(sample.path, 'model.bin'), pointer)
  await sample.git('update-index', '--add', '--cacheinfo', `160000,${'5'.repeat(40)},vendor/lib`)
  await mkdir(join(sample.path, 'vendor', 'lib'), { recursive: true })
}
