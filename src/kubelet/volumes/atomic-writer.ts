// Files of a configMap-like volume, exchanged all at once: a reader sees either the old set or the new one.
// Layout as upstream's volume/util/atomic_writer.go: ..<time>/ holds the files, ..data points to it, and each
// visible top-level name points through ..data.
// Synchronous: a container waits for these few small files, most of them in memory, and each step is done faster than a
// thread is woken for it.
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

export interface ProjectedFile {
  data: Buffer
  mode: number
  /** Owner of this file alone: tokens of pods that run as one user. */
  uid?: number
}

/** Path relative to the volume → file. */
export type Projection = ReadonlyMap<string, ProjectedFile>

const DATA = '..data'

/** Returns whether anything changed. `gid` is the pod's fsGroup. */
export function writeProjection(dir: string, files: Projection, now: number, gid?: number): boolean {
  for (const path of files.keys()) verifyPath(path)
  mkdirSync(dir, { recursive: true })
  const current = isThere(join(dir, DATA)) ? readlinkSync(join(dir, DATA)) : undefined
  if (current !== undefined && holds(join(dir, current), files)) return false
  const name = `..${stamp(now)}.${randomBytes(5).toString('hex')}`
  writeAll(join(dir, name), files, gid)
  // One may be there of a program that was killed just here.
  rmSync(join(dir, `${DATA}_tmp`), { force: true })
  symlinkSync(name, join(dir, `${DATA}_tmp`))
  renameSync(join(dir, `${DATA}_tmp`), join(dir, DATA))
  exposeNames(dir, files)
  if (current !== undefined) rmSync(join(dir, current), { recursive: true, force: true })
  return true
}

const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined

function verifyPath(path: string): void {
  const parts = path.split('/')
  if (path === '' || path.startsWith('/') || parts.includes('..') || path.startsWith('..')) {
    throw new Error(`invalid path: ${path}`)
  }
}

const stamp = (now: number) => new Date(now).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')

function holds(dir: string, files: Projection): boolean {
  const present = filesUnder(dir)
  if (present.length !== files.size) return false
  for (const path of present) {
    const wanted = files.get(path)
    if (!wanted || !readFileSync(join(dir, path)).equals(wanted.data)) return false
    if ((lstatSync(join(dir, path)).mode & 0o777) !== (wanted.mode & 0o777)) return false
  }
  return true
}

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(dir.length + 1))
}

function writeAll(dir: string, files: Projection, gid: number | undefined): void {
  mkdirSync(dir, { mode: 0o755 })
  chmodSync(dir, 0o755)
  for (const [path, { data, mode, uid }] of files) {
    const file = join(dir, path)
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 })
    writeFileSync(file, data, { mode })
    chmodSync(file, mode)
    if (uid !== undefined || gid !== undefined) chownSync(file, uid ?? 0, gid ?? 0)
  }
}

/** One link per top-level name; links to names that are gone are removed. */
function exposeNames(dir: string, files: Projection): void {
  const wanted = new Set([...files.keys()].map(path => path.split('/')[0]!))
  for (const name of wanted) {
    if (!isThere(join(dir, name))) symlinkSync(join(DATA, name), join(dir, name))
  }
  for (const name of readdirSync(dir)) {
    if (!name.startsWith('..') && !wanted.has(name)) rmSync(join(dir, name), { force: true })
  }
}
