// Files of a configMap-like volume, exchanged all at once: a reader sees either the old set or the new one.
// Layout as upstream's volume/util/atomic_writer.go: ..<time>/ holds the files, ..data points to it, and each
// visible top-level name points through ..data.
import { randomBytes } from 'node:crypto'
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
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
export async function writeProjection(
  dir: string,
  files: Projection,
  now: number,
  gid?: number,
): Promise<boolean> {
  for (const path of files.keys()) verifyPath(path)
  await mkdir(dir, { recursive: true })
  const current = await readlink(join(dir, DATA)).catch(() => undefined)
  if (current !== undefined && (await holds(join(dir, current), files))) return false
  const name = `..${stamp(now)}.${randomBytes(5).toString('hex')}`
  await writeAll(join(dir, name), files, gid)
  await symlink(name, join(dir, `${DATA}_tmp`))
  await rename(join(dir, `${DATA}_tmp`), join(dir, DATA))
  await exposeNames(dir, files)
  if (current !== undefined) await rm(join(dir, current), { recursive: true, force: true })
  return true
}

function verifyPath(path: string): void {
  const parts = path.split('/')
  if (path === '' || path.startsWith('/') || parts.includes('..') || path.startsWith('..')) {
    throw new Error(`invalid path: ${path}`)
  }
}

const stamp = (now: number) => new Date(now).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')

async function holds(dir: string, files: Projection): Promise<boolean> {
  const present = await filesUnder(dir)
  if (present.length !== files.size) return false
  for (const path of present) {
    const wanted = files.get(path)
    if (!wanted || !(await readFile(join(dir, path))).equals(wanted.data)) return false
    if (((await lstat(join(dir, path))).mode & 0o777) !== (wanted.mode & 0o777)) return false
  }
  return true
}

async function filesUnder(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(dir.length + 1))
}

async function writeAll(dir: string, files: Projection, gid: number | undefined): Promise<void> {
  await mkdir(dir, { mode: 0o755 })
  await chmod(dir, 0o755)
  for (const [path, { data, mode, uid }] of files) {
    const file = join(dir, path)
    await mkdir(dirname(file), { recursive: true, mode: 0o755 })
    await writeFile(file, data, { mode })
    await chmod(file, mode)
    if (uid !== undefined || gid !== undefined) await chown(file, uid ?? 0, gid ?? 0)
  }
}

/** One link per top-level name; links to names that are gone are removed. */
async function exposeNames(dir: string, files: Projection): Promise<void> {
  const wanted = new Set([...files.keys()].map(path => path.split('/')[0]!))
  for (const name of wanted) {
    const present = await lstat(join(dir, name)).catch(() => undefined)
    if (!present) await symlink(join(DATA, name), join(dir, name))
  }
  for (const name of await readdir(dir)) {
    if (!name.startsWith('..') && !wanted.has(name)) await rm(join(dir, name), { force: true })
  }
}
