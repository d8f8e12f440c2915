// Manifests of static pods: one Pod a file, YAML or JSON, in a directory or alone. Upstream: pkg/kubelet/config/file.go.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { applyDefaults } from '../../api/defaults/defaults.ts'
import { decodeObject } from '../../api/schema/decode-object.ts'
import { parseYaml } from '../../api/schema/parse-body.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { validatePodCreate } from '../../api/validation/pod/pod.ts'
import { neededResource, staticPod } from './static-pod.ts'

export interface Manifest {
  file: string
  /** Undefined when the file holds none. */
  pod?: Pod
  /** Why it holds none. */
  problem?: string
}

/** `path` is a directory or a file; a path that is not there holds nothing. Names with a dot at the front are left out. */
export async function readManifests(path: string, nodeName: string, seenAt: string): Promise<Manifest[]> {
  const files = await manifestFiles(path)
  return Promise.all(files.map(file => readManifest(file, nodeName, seenAt)))
}

async function manifestFiles(path: string): Promise<string[]> {
  const isFile = (file: string) =>
    stat(file).then(
      found => found.isFile(),
      () => false,
    )
  if (await isFile(path)) return [path]
  const names = (await readdir(path).catch(() => [])).filter(name => !name.startsWith('.')).sort()
  const files = names.map(name => join(path, name))
  const kept = await Promise.all(files.map(isFile))
  return files.filter((_, index) => kept[index])
}

async function readManifest(file: string, nodeName: string, seenAt: string): Promise<Manifest> {
  try {
    return { file, pod: parseManifest(await readFile(file, 'utf8'), file, nodeName, seenAt) }
  } catch (error) {
    return { file, problem: (error as Error).message }
  }
}

/** Throws with what is wrong. */
export function parseManifest(text: string, file: string, nodeName: string, seenAt: string): Pod {
  const { value } = parseYaml(text)
  const { apiVersion, kind } = (value ?? {}) as { apiVersion?: string; kind?: string }
  if (apiVersion !== 'v1' || kind !== 'Pod') throw new Error('the file holds no Pod of v1')
  const { object } = decodeObject(value, 'v1', 'Pod')
  const manifest = object as unknown as Pod
  if (!manifest.metadata.name) throw new Error('invalid pod: name is needed for the pod')
  const pod = staticPod(manifest, file, nodeName, seenAt)
  applyDefaults(pod)
  const errors = validatePodCreate(pod)
  if (errors.length > 0)
    throw new Error(`invalid pod: ${errors.map(({ field, message }) => `${field}: ${message}`).join(', ')}`)
  const resource = neededResource(pod)
  if (resource) throw new Error(`static pods may not reference ${resource}`)
  return pod
}
