// Debian packages of a suite, unpacked and not installed. The lists are our own: the machine's sources stay as they are.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { PlainError } from '../../src/base/plain-error.ts'

const KEY = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Whatever the suite's present one is. */
export const KERNEL = 'kernel'

/** A package, or KERNEL, into `target`, which is replaced. */
export function unpackPackage(suite: string, wanted: string, target: string): void {
  mkdirSync(path.dirname(target), { recursive: true })
  const work = mkdtempSync(`${target}.`)
  try {
    const options = privateLists(suite, work)
    apt('apt-get', [...options, 'update', '-qq'], work)
    const name = wanted === KERNEL ? kernelPackage(options, work) : wanted
    apt('apt-get', [...options, '-qq', 'download', name], work)
    const debs = readdirSync(work).filter(name => name.endsWith('.deb'))
    for (const deb of debs) execFileSync('dpkg', ['-x', path.join(work, deb), path.join(work, 'tree')])
    rmSync(target, { recursive: true, force: true })
    renameSync(path.join(work, 'tree'), target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function privateLists(suite: string, folder: string): string[] {
  const security = suite === 'sid' || suite.includes('-') ? [] : [`debian-security ${suite}-security`]
  const sources = [`debian ${suite}`, ...security]
  const lines = sources.map(source => `deb [signed-by=${KEY}] http://deb.debian.org/${source} main\n`)
  const list = path.join(folder, 'sources.list')
  writeFileSync(list, lines.join(''))
  for (const name of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(path.join(folder, name), { recursive: true })
  return [
    `Dir::Etc::sourcelist=${list}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${path.join(folder, 'lists')}`,
    `Dir::Cache=${path.join(folder, 'cache')}`,
    'APT::Sandbox::User=root',
  ].flatMap(option => ['-o', option])
}

const POINTER = 'linux-image-amd64'

/** What the suite calls its present kernel: the package above only points to it. */
function kernelPackage(options: readonly string[], folder: string): string {
  const text = apt('apt-cache', [...options, 'show', '--no-all-versions', POINTER], folder)
  const name = /^Depends: (linux-image-[^ ,]+)/m.exec(text)?.[1]
  if (!name) throw new PlainError(`Debian’s lists name no package ${POINTER}.`)
  return name
}

function apt(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1)
    throw new PlainError(`A kernel could not be had from Debian: ${said || (error as Error).message}.`)
  }
}
