// kubectl as Debian packages it, unpacked beside the project: an installed kubectl of another vendor would clash.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cache, onPath, run } from './step.mjs'

/** Version → Debian suite and package. */
const SOURCES = {
  '1.20': { suite: 'bookworm', package: 'kubernetes-client' },
  1.32: { suite: 'trixie', package: 'kubectl' },
  1.36: { suite: 'sid', package: 'kubectl' },
}

const binary = version => join(cache, 'kubectl', version, 'kubectl')

/** A kubectl for people: the machine's own, else 1.36. */
export async function ensureKubectl() {
  return onPath('kubectl') ? false : unpackMissing(['1.36'])
}

export async function ensureTestKubectls() {
  return unpackMissing(Object.keys(SOURCES))
}

async function unpackMissing(versions) {
  const missing = versions.filter(version => !existsSync(binary(version)))
  if (missing.length === 0) return false
  const apt = await privateApt(missing.map(version => SOURCES[version].suite))
  for (const version of missing) await unpack(apt, version)
  rmSync(apt.directory, { recursive: true, force: true })
  return true
}

/** apt with lists of its own, so that the machine's package sources stay as they are. */
async function privateApt(suites) {
  const directory = join(cache, 'apt')
  mkdirSync(join(directory, 'lists', 'partial'), { recursive: true })
  mkdirSync(join(directory, 'cache', 'archives', 'partial'), { recursive: true })
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg'
  const lines = suites.map(suite => `deb [signed-by=${key}] http://deb.debian.org/debian ${suite} main`)
  writeFileSync(join(directory, 'sources.list'), `${lines.join('\n')}\n`)
  const options = [
    `Dir::Etc::sourcelist=${join(directory, 'sources.list')}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(directory, 'lists')}`,
    `Dir::Cache=${join(directory, 'cache')}`,
    'APT::Sandbox::User=root',
  ].flatMap(option => ['-o', option])
  await run('apt-get', [...options, 'update', '-qq'], { why: 'reading Debian’s package lists' })
  return { directory, options }
}

async function unpack({ directory, options }, version) {
  const source = SOURCES[version]
  const downloads = join(directory, version)
  mkdirSync(downloads, { recursive: true })
  await run('apt-get', [...options, 'download', `${source.package}/${source.suite}`], {
    cwd: downloads,
    why: `downloading kubectl ${version}`,
  })
  const deb = join(
    downloads,
    readdirSync(downloads).find(name => name.endsWith('.deb')),
  )
  await run('dpkg', ['-x', deb, join(downloads, 'tree')])
  mkdirSync(join(cache, 'kubectl', version), { recursive: true })
  renameSync(join(downloads, 'tree', 'usr', 'bin', 'kubectl'), binary(version))
}
