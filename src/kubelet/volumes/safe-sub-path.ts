// Opens a path within a volume without ever following a link out of it, however fast a container changes it
// meanwhile. Upstream: volume/util/subpath doSafeOpen.
import { close, constants, fchmod, fstat, mkdir, open } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'

const openFd = promisify(open)
const closeFd = promisify(close)
const statFd = promisify(fstat)
const makeDir = promisify(mkdir)
const changeMode = promisify(fchmod)

/** Linux's O_PATH, which Node does not name: a handle on the place, not on the content. */
const O_PATH = 0o10000000
const FLAGS = O_PATH | constants.O_NOFOLLOW

/**
 * A descriptor (to be closed by the caller) of the sub path. Missing directories are made. Links inside the volume
 * are followed as long as they stay inside.
 */
export async function openSubPath(volume: string, subPath: string): Promise<number> {
  if (subPath.split('/').includes('..')) throw new Error(`subPath "${subPath}" must not contain ".."`)
  await makeMissing(volume, subPath)
  const root = await realpath(volume)
  const real = await realpath(join(volume, subPath))
  const inside = relative(root, real)
  if (isOutside(inside))
    throw new Error(`subpath "${join(volume, subPath)}" not within volume path "${volume}"`)
  return openBeneath(root, inside)
}

const MOST_BYTES = 1024 * 1024

/** The text of a file within the volume, links inside it followed; undefined when there is none. */
export async function readFileInside(volume: string, path: string): Promise<string | undefined> {
  const root = await realpath(volume)
  const real = await realpath(join(root, path)).catch(() => undefined)
  if (real === undefined) return undefined
  if (isOutside(relative(root, real))) throw new Error(`"${path}" is not within its volume`)
  const place = await openBeneath(root, relative(root, real))
  try {
    const found = await statFd(place)
    if (!found.isFile()) throw new Error(`"${path}" is not a file`)
    if (found.size > MOST_BYTES) throw new Error(`"${path}" is larger than ${MOST_BYTES} bytes`)
    return await readFile(`/proc/self/fd/${place}`, 'utf8')
  } finally {
    await closeFd(place)
  }
}

/** Names may begin with two dots: the atomic writer's own do. */
const isOutside = (path: string) => path === '..' || path.startsWith('../')

async function openBeneath(root: string, path: string): Promise<number> {
  let fd = await openFd(root, FLAGS)
  for (const name of path.split('/').filter(Boolean)) {
    try {
      const next = await openFd(`/proc/self/fd/${fd}/${name}`, FLAGS)
      await closeFd(fd)
      fd = next
      if ((await statFd(fd)).isSymbolicLink())
        throw new Error(`unexpected symlink found ${name} in "${root}/${path}"`)
    } catch (error) {
      await closeFd(fd)
      throw error
    }
  }
  return fd
}

/** Makes what is missing below the deepest part that exists, going through descriptors only. */
async function makeMissing(volume: string, subPath: string): Promise<void> {
  const root = await realpath(volume)
  const parts = subPath.split('/').filter(part => part !== '' && part !== '.')
  let existing = root
  for (const [index, part] of parts.entries()) {
    const next = await realpath(join(existing, part)).catch(() => undefined)
    if (next === undefined) return makeChain(root, existing, parts.slice(index))
    if (isOutside(relative(root, next))) {
      throw new Error(`subpath "${join(volume, subPath)}" not within volume path "${volume}"`)
    }
    existing = next
  }
}

/** What is made may be used by whoever may use the volume. Upstream: doSafeMakeDir with the volume's permissions. */
async function makeChain(root: string, from: string, names: readonly string[]): Promise<void> {
  const mode = (await stat(root)).mode & PERMISSIONS
  let done = relative(root, from)
  for (const name of names) {
    const parent = await openBeneath(root, done)
    try {
      await makeDir(`/proc/self/fd/${parent}/${name}`, 0o750)
      await setMode(`/proc/self/fd/${parent}/${name}`, mode)
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error
    } finally {
      await closeFd(parent)
    }
    done = join(done, name)
  }
}

const PERMISSIONS = 0o2777

/** Of the directory itself: nothing that took its place meanwhile is followed. */
async function setMode(folder: string, mode: number): Promise<void> {
  const fd = await openFd(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await changeMode(fd, mode)
  } finally {
    await closeFd(fd)
  }
}
