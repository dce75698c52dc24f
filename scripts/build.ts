// Makes `dist`, what the npm package runs: JavaScript, because Node strips no types under node_modules, and the
// workflows as one ready bundle, so that a worker starts without making it.
//   npm run build
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { bundled, withSlimMap } from '#workers/bundle'

type Manifest = { imports: Record<string, string> }

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

rmSync(dist, { recursive: true, force: true })
compile()
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(packageOfDist(), null, 2)}\n`)
writeFileSync(join(dist, 'workflows', 'bundle.js'), withoutPaths(await bundle()))

function compile(): void {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
  const compiler = spawnSync(process.execPath, [tsc, '--project', join(root, 'tsconfig.build.json')], {
    stdio: ['ignore', 2, 2],
  })
  if (compiler.status !== 0) throw new Error('the sources do not compile; the errors are above')
}

/** Nearer than the root's, so that `#domain/…` means `dist` there and `src` in a clone, without a condition. */
function packageOfDist(): object {
  const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
  const toDist = (path: string) => path.replace(/^\.\/src\//, './').replace(/\.ts$/, '.js')
  const mapped = Object.fromEntries(Object.entries(imports).map(([name, path]) => [name, toDist(path)]))
  return { type: 'module', imports: mapped }
}

async function bundle(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'src', 'workflows', 'index.ts'),
    ...bundled,
    // Names of modules start here, wherever this is run from and wherever node_modules really is.
    webpackConfigHook: (config) => ({ ...config, context: root, resolve: { ...config.resolve, symlinks: false } }),
    logger: new DefaultLogger('WARN'),
  })
  return code
}

/** Where this was built, and the sources once more, nobody needs. */
function withoutPaths(code: string): string {
  return withSlimMap(code, ({ sourcesContent: _, ...map }) => {
    const sources = map.sources.map((source) => source.replaceAll(root, ''))
    return { ...map, file: 'bundle.js', sources }
  })
}
