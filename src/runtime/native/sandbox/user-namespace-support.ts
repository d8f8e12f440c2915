// Whether pods can have user namespaces here: found out by doing it. The kernel must make them, and map the owners of
// files on the disk (Linux 5.12) and in memory (6.3), where Secrets and tokens are.
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { StateDir } from '../state-dir.ts'
import { cloneMounts, mapIds, mount, unmountIfMounted } from '../syscall/libc.ts'
import { makeUserNamespace, type UserIds } from './user-namespace.ts'

const ONE = [{ containerId: 0, hostId: 65_536, length: 1 }]
const IDS: UserIds = { uids: ONE, gids: ONE }

/** Why not; undefined when they can. */
export async function lackOfUserNamespaces({ root, images }: StateDir): Promise<string | undefined> {
  const work = mkdtempSync(join(root, 'probe-'))
  const [namespace, memory] = [join(work, 'user'), join(work, 'memory')]
  try {
    mkdirSync(memory)
    await makeUserNamespace(IDS, [], () => namespace)
    mount('probe', memory, 'tmpfs', 0, 'size=4k')
    for (const place of [images, memory]) tryMapping(place, namespace)
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    for (const mounted of [memory, namespace]) unmountIfMounted(mounted)
    rmSync(work, { recursive: true, force: true })
  }
}

function tryMapping(folder: string, namespace: string): void {
  const [tree, ids] = [cloneMounts(folder), openSync(namespace, 'r')]
  try {
    mapIds(tree, ids)
  } finally {
    closeSync(tree)
    closeSync(ids)
  }
}
