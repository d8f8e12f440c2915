// One file per process: starting from hundreds of small TypeScript files would cost half of the second we have.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './step.mjs'

const ENTRIES = { kubernode: 'src/main.ts', 'runtime-process': 'src/runtime/native/process.ts' }

export async function buildBundle() {
  const outputs = Object.keys(ENTRIES).map(name => join(root, 'dist', `${name}.mjs`))
  const oldest = Math.min(...outputs.map(file => (existsSync(file) ? statSync(file).mtimeMs : 0)))
  if (newest(join(root, 'src')) < oldest && statSync(join(root, 'package-lock.json')).mtimeMs < oldest)
    return false
  await run(
    join(root, 'node_modules', '.bin', 'esbuild'),
    [
      ...Object.entries(ENTRIES).map(([name, source]) => `${name}=${source}`),
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--target=node24',
      '--outdir=dist',
      '--out-extension:.js=.mjs',
      '--sourcemap',
      '--external:lmdb',
      '--external:koffi',
      ...commitDefinition(),
      // Packages written for require() find it here.
      '--banner:js=import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
      '--log-level=warning',
    ],
    { why: 'bundling the program' },
  )
  return true
}

/** `kubectl version` shows it. A copy without git has none. */
function commitDefinition() {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const [hash, date] = git('log', '-1', '--format=%H %cI').split(' ')
    const tree = git('status', '--porcelain', '--untracked-files=no') === '' ? 'clean' : 'dirty'
    const utc = new Date(date).toISOString().replace('.000', '')
    return [`--define:KUBERNODE_COMMIT=${JSON.stringify({ hash, date: utc, tree })}`]
  } catch {
    return []
  }
}

function newest(folder) {
  let latest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return latest
}
