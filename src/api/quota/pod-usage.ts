// What a Pod costs. Upstream: pkg/quota/v1/evaluator/core/pods.go.
import { isPodLevelResource, podLimits, podRequests } from '../pod/resources.ts'
import type { Container, Pod } from '../types/core-v1.ts'
import { addAmounts, one, type ResourceAmounts } from './amounts.ts'

const NAMES = new Set([
  'count/pods',
  'pods',
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
])
/** Every container of the Pod must name these when a quota counts them. */
const REQUIRED = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']
const COMPUTE = new Set(['cpu', 'memory', 'ephemeral-storage'])
const HUGE_PAGES = 'hugepages-'

export function isPodResource(name: string): boolean {
  return NAMES.has(name) || name.startsWith(HUGE_PAGES) || isExtended(name)
}

/** 'requests.example.com/gpu', 'requests.hugepages-2Mi'. */
function isExtended(name: string): boolean {
  if (!name.startsWith('requests.')) return false
  const resource = name.slice('requests.'.length)
  return resource.startsWith(HUGE_PAGES) || (resource.includes('/') && !resource.includes('kubernetes.io/'))
}

/** A Pod at its end costs nothing but its place in the store. `now`: epoch milliseconds. */
export function podUsage(pod: Pod, now: number): ResourceAmounts {
  const usage: ResourceAmounts = new Map([['count/pods', one]])
  if (isAtEnd(pod, now)) return usage
  usage.set('pods', one)
  const [requests, limits] = [podRequests(pod), podLimits(pod)]
  for (const [name, amount] of requests) {
    if (COMPUTE.has(name) || name.startsWith(HUGE_PAGES)) usage.set(name, amount)
    usage.set(`requests.${name}`, amount)
  }
  const limited: ResourceAmounts = new Map()
  for (const [name, amount] of limits) if (COMPUTE.has(name)) limited.set(`limits.${name}`, amount)
  return addAmounts(usage, limited)
}

/** Upstream: QuotaV1Pod. */
function isAtEnd({ metadata, status }: Pod, now: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return true
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return false
  return now > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

/** 'must specify limits.cpu for: app; memory for: app,db', undefined when nothing is missing. */
export function missingRequirements(names: readonly string[], { spec }: Pod): string | undefined {
  const required = REQUIRED.filter(name => names.includes(name))
  const isGiven = (name: string, { resources }: Partial<Pick<Container, 'resources'>>) => {
    const [part, resource = part] = name.split('.')
    const list = part === 'limits' ? resources?.limits : resources?.requests
    return list?.[resource as string] !== undefined
  }
  const containers = [...spec.containers, ...(spec.initContainers ?? [])]
  const texts = required.sort().flatMap(name => {
    // What the Pod states as a whole its containers need not.
    if (isPodLevelResource(name.split('.').at(-1)!) && isGiven(name, spec)) return []
    const lacking = containers.filter(container => !isGiven(name, container)).map(container => container.name)
    return lacking.length > 0 ? [`${name} for: ${[...new Set(lacking)].sort().join(',')}`] : []
  })
  return texts.length > 0 ? `must specify ${texts.join('; ')}` : undefined
}
