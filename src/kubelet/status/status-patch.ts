// The strategic merge patch that turns one pod status into another, as upstream's kubelet sends it.
// Lists with merge keys (conditions, podIPs, hostIPs) are merged by the server, so what goes must be named.
import type { PodStatus } from '../../api/types/core-v1.ts'
import { jsonEqual } from '../../base/json-equal.ts'

type Fields = Record<string, unknown>

const MERGED_BY = { conditions: 'type', podIPs: 'ip', hostIPs: 'ip' } as const

/** The `status` part of the patch; undefined when nothing differs. */
export function statusPatch(from: PodStatus, to: PodStatus): Fields | undefined {
  const [old, next] = [from as Fields, to as Fields]
  const patch: Fields = {}
  for (const field of new Set([...Object.keys(old), ...Object.keys(next)])) {
    if (jsonEqual(old[field], next[field])) continue
    const key = MERGED_BY[field as keyof typeof MERGED_BY]
    if (key && Array.isArray(next[field]))
      Object.assign(patch, mergedList(field, key, old[field], next[field]))
    else patch[field] = next[field] ?? null
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}

function mergedList(field: string, key: string, oldList: unknown, nextList: Fields[]): Fields {
  const before = (Array.isArray(oldList) ? oldList : []) as Fields[]
  const changed = nextList.flatMap(item => {
    const earlier = before.find(other => other[key] === item[key])
    if (jsonEqual(earlier, item)) return []
    const dropped = Object.keys(earlier ?? {}).filter(name => !(name in item))
    return [{ ...item, ...Object.fromEntries(dropped.map(name => [name, null])) }]
  })
  const gone = before
    .filter(item => !nextList.some(other => other[key] === item[key]))
    .map(item => ({ $patch: 'delete', [key]: item[key] }))
  const list = [...changed, ...gone]
  return {
    [`$setElementOrder/${field}`]: nextList.map(item => ({ [key]: item[key] })),
    ...(list.length > 0 && { [field]: list }),
  }
}
