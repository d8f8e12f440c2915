// Gets the Go sources from Debian sid with apt lists of its own, so that the machine's set-up stays as it is.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DEBIAN_PACKAGES } from './packages.ts'

/** Returns the folder that import paths are relative to (…/gocode/src), downloading into `cache` once. */
export function fetchSources(cache: string): string {
  const sources = path.join(cache, 'tree/usr/share/gocode/src')
  if (existsSync(sources)) return sources
  const debs = path.join(cache, 'debs')
  for (const dir of ['lists/partial', 'apt/archives/partial', 'debs', 'tree']) {
    mkdirSync(path.join(cache, dir), { recursive: true })
  }
  const list = path.join(cache, 'sources.list')
  writeFileSync(list, 'deb [trusted=yes] http://deb.debian.org/debian sid main\n')
  const options = {
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': path.join(cache, 'lists'),
    'Dir::Cache': path.join(cache, 'apt'),
  }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const run = (command: string, args: string[]) =>
    execFileSync(command, args, { cwd: debs, stdio: 'inherit' })
  run('apt-get', [...flags, '-qq', 'update'])
  run('apt-get', [...flags, '-qq', 'download', ...DEBIAN_PACKAGES])
  for (const file of readdirSync(debs)) run('dpkg', ['-x', file, path.join(cache, 'tree')])
  return sources
}
