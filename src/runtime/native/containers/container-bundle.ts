// A container's folder and mounts on the host: made before it is created, gone when it is removed.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Log } from '../../../base/log.ts'
import { removeCgroup } from '../cgroup/cgroup-tree.ts'
import type { StateDir } from '../state-dir.ts'
import { mountInBackground, SyscallError, unmountIfMounted } from '../syscall/libc.ts'
import { unmountImageVolumes } from './image-volumes.ts'
import { removeMapped } from './mapped-files.ts'
import { type MountTarget, makeMountTargets } from './mount-targets.ts'

const run = promisify(execFile)

export interface BundleParts {
  dir: StateDir
  /** Path of crun or runc. */
  runtime: string
  log: Log
}

/** A writable layer of its own over the image's, at the bundle's `rootfs`; all of it over the places of its mounts. */
export async function mountRoot(
  id: string,
  dir: StateDir,
  lowerDirs: readonly string[],
  targets: readonly MountTarget[],
): Promise<void> {
  const [rootfs, places] = [dir.bundle(id, 'rootfs'), dir.bundle(id, 'places')]
  const [upper, work] = [dir.container(id, 'upper'), dir.container(id, 'work')]
  for (const folder of [rootfs, places, upper, work]) mkdirSync(folder, { mode: 0o755 })
  makeMountTargets(places, targets, lowerDirs)
  await mountWritable(
    rootfs,
    `lowerdir=${[...lowerDirs, places].join(':')},upperdir=${upper},workdir=${work}`,
  )
}

/** Kernels before 5.10 do not know the option. */
let knowsVolatile = true

/**
 * No container outlives a power cut, so nothing of its layer has to reach the disk: without `volatile` the kernel would
 * write out the whole file system of the data directory whenever one is unmounted.
 */
async function mountWritable(rootfs: string, layers: string): Promise<void> {
  const attempt = (options: string) => mountInBackground('overlay', rootfs, 'overlay', 0, options)
  try {
    await attempt(knowsVolatile ? `${layers},volatile` : layers)
  } catch (error) {
    if (!knowsVolatile || !(error instanceof SyscallError) || error.code !== 'EINVAL') throw error
    await attempt(layers)
    knowsVolatile = false
  }
}

/**
 * Nothing of the container is left on the host, however far it had come. `cgroup` is told of one whose first process has
 * ended: what is left of it then, a cgroup and a folder, goes without a process of the OCI runtime for each container.
 */
export async function dismantle(id: string, parts: BundleParts, cgroup?: string): Promise<void> {
  const { dir } = parts
  const state = join(dir.ociRoot, id)
  if (cgroup !== undefined && removeCgroup(cgroup)) rmSync(state, { recursive: true, force: true })
  else if (existsSync(state)) await deleteByRuntime(id, parts)
  unmountIfMounted(dir.bundle(id, 'rootfs'))
  unmountImageVolumes(dir.bundle(id))
  removeMapped(dir.mapped(id))
  rmSync(dir.bundle(id), { recursive: true, force: true })
  rmSync(dir.container(id), { recursive: true, force: true })
  rmSync(join(dir.exits, id), { force: true })
  rmSync(join(dir.attach, id), { recursive: true, force: true })
}

async function deleteByRuntime(id: string, { dir, runtime, log }: BundleParts): Promise<void> {
  await run(runtime, [`--root=${dir.ociRoot}`, 'delete', '--force', id]).catch(error =>
    log.warn({ err: error, container: id }, 'the container runtime could not delete a container'),
  )
}
