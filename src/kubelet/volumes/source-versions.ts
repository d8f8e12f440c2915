// Which versions of mounted objects a volume was made from, and which were seen since: what was seen after it was read
// is no reason to make the volume again.
import type { ObjectSource } from '../containers/object-source.ts'
import type { VolumeReference } from './volume-plugin.ts'

/** A resourceVersion; undefined where there is no such object. */
type Version = string | undefined

export class SourceVersions {
  readonly #used = new Map<string, Version>()
  readonly #seen = new Map<string, Version>()

  seen(reference: VolumeReference, version: Version): void {
    this.#seen.set(keyOf(reference), version)
  }

  /** Something was seen that the volume was not made from. */
  get areOld(): boolean {
    return [...this.#seen].some(([key, seen]) => !this.#used.has(key) || differs(seen, this.#used.get(key)))
  }

  /** Reads as the source does, and remembers what was read. */
  recorded(source: ObjectSource): ObjectSource {
    const use = <T extends { metadata: { resourceVersion?: string } }>(
      reference: VolumeReference,
      found: T | undefined,
    ) => {
      this.#used.set(keyOf(reference), found?.metadata.resourceVersion)
      return found
    }
    return {
      findConfigMap: async (namespace, name) =>
        use({ kind: 'ConfigMap', name }, await source.findConfigMap(namespace, name)),
      findSecret: async (namespace, name) =>
        use({ kind: 'Secret', name }, await source.findSecret(namespace, name)),
      services: namespace => source.services(namespace),
    }
  }
}

const keyOf = ({ kind, name }: VolumeReference) => `${kind}/${name}`

/** What is followed may lag behind what was read: then it will be seen later. Versions grow. */
function differs(seen: Version, used: Version): boolean {
  if (seen === undefined || used === undefined) return seen !== used
  return BigInt(seen) > BigInt(used)
}
