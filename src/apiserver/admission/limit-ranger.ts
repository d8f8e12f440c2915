// Gives containers the namespace's default requests and limits, and refuses what is outside its bounds.
// Upstream: plugin/pkg/admission/limitranger.
import { aggregate, parseAmounts, type ResourceAmounts } from '../../api/pod/resources.ts'
import type { Quantity } from '../../api/quantity.ts'
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from '../../api/types/core-v1.ts'
import { type AdmissionAttributes, type AdmissionPlugin, isResource, refuse } from './admission.ts'
import type { ObjectLookup } from './object-lookup.ts'

const ANNOTATION = 'kubernetes.io/limit-ranger'

export function limitRanger(lookup: ObjectLookup): AdmissionPlugin {
  const rangesOf = async ({ namespace = '' }: AdmissionAttributes) =>
    (await lookup.listIn('limitranges', namespace)) as unknown as LimitRange[]
  return {
    name: 'LimitRanger',
    async admit(attributes) {
      if (!isLimited(attributes) || !isResource(attributes, 'pods')) return
      for (const range of await rangesOf(attributes)) setDefaults(attributes.object as unknown as Pod, range)
    },
    async validate(attributes) {
      if (!isLimited(attributes)) return
      for (const range of await rangesOf(attributes)) {
        const problems = isResource(attributes, 'pods')
          ? podProblems(attributes.object as unknown as Pod, range)
          : claimProblems(attributes.object as unknown as PersistentVolumeClaim, range)
        if (problems.length > 0) throw refuse(attributes, together(problems))
      }
    },
  }
}

/** Containers of a pod change by resize only. */
function isLimited(attributes: AdmissionAttributes): boolean {
  const { operation, subresource, object } = attributes
  if (!object || (operation !== 'CREATE' && operation !== 'UPDATE')) return false
  if (isResource(attributes, 'pods')) return operation === 'CREATE' ? !subresource : subresource === 'resize'
  return (
    isResource(attributes, 'persistentvolumeclaims') && !subresource && !object.metadata.deletionTimestamp
  )
}

/** Upstream: utilerrors.Aggregate. */
const together = (texts: readonly string[]) => (texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`)

function setDefaults({ metadata, spec }: Pod, { spec: { limits: items } }: LimitRange): void {
  const limits: Record<string, string> = {}
  const requests: Record<string, string> = {}
  for (const item of items.filter(({ type }) => type === 'Container')) {
    Object.assign(limits, item.default)
    Object.assign(requests, item.defaultRequest)
  }
  const notes = [
    ...spec.containers.flatMap(container => fillIn(container, 'container', requests, limits)),
    ...(spec.initContainers ?? []).flatMap(container =>
      fillIn(container, 'init container', requests, limits),
    ),
  ]
  if (notes.length === 0) return
  metadata.annotations = {
    ...metadata.annotations,
    [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}`,
  }
}

function fillIn(
  container: Container,
  kind: string,
  requests: Record<string, string>,
  limits: Record<string, string>,
): string[] {
  const fill = (list: Record<string, string> | undefined, defaults: Record<string, string>) =>
    Object.keys(defaults)
      .filter(name => list?.[name] === undefined)
      .sort()
  const { resources = {} } = container
  const newRequests = fill(resources.requests, requests)
  const newLimits = fill(resources.limits, limits)
  if (newRequests.length + newLimits.length === 0) return []
  container.resources = {
    ...resources,
    ...(newRequests.length > 0 && { requests: { ...requests, ...resources.requests } }),
    ...(newLimits.length > 0 && { limits: { ...limits, ...resources.limits } }),
  }
  const note = (names: string[], what: string) =>
    names.length > 0 ? [`${names.join(', ')} ${what} for ${kind} ${container.name}`] : []
  return [...note(newRequests, 'request'), ...note(newLimits, 'limit')]
}

interface Amounts {
  requests: ResourceAmounts
  limits: ResourceAmounts
}

function podProblems({ spec }: Pod, range: LimitRange): string[] {
  return range.spec.limits.flatMap(item => {
    if (item.type === 'Container') {
      return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(container =>
        itemProblems(item, amountsOf(container)),
      )
    }
    if (item.type !== 'Pod') return []
    const whole = (part: 'requests' | 'limits') =>
      new Map([
        ...aggregate(spec, container => parseAmounts(container.resources?.[part])),
        ...parseAmounts(spec.resources?.[part]),
      ])
    return itemProblems(item, { requests: whole('requests'), limits: whole('limits') })
  })
}

const amountsOf = ({ resources }: Container): Amounts => ({
  requests: parseAmounts(resources?.requests),
  limits: parseAmounts(resources?.limits),
})

function itemProblems(item: LimitRangeItem, amounts: Amounts): string[] {
  const each = (list: Record<string, string> | undefined, check: Check) =>
    [...parseAmounts(list)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, bound]) => check(item.type, name, bound, amounts) ?? [])
  return [
    ...each(item.min, belowMinimum),
    ...each(item.max, aboveMaximum),
    ...each(item.maxLimitRequestRatio, ratioTooHigh),
  ]
}

type Check = (type: string, name: string, bound: Quantity, amounts: Amounts) => string | undefined

const belowMinimum: Check = (type, name, bound, { requests, limits }) => {
  const [request, limit] = [requests.get(name), limits.get(name)]
  const text = `minimum ${name} usage per ${type} is ${bound}`
  if (!request) return `${text}.  No request is specified`
  if (request.compare(bound) < 0) return `${text}, but request is ${request}`
  return limit && limit.compare(bound) < 0 ? `${text}, but limit is ${limit}` : undefined
}

const aboveMaximum: Check = (type, name, bound, { requests, limits }) => {
  const [request, limit] = [requests.get(name), limits.get(name)]
  const text = `maximum ${name} usage per ${type} is ${bound}`
  if (!limit) return `${text}.  No limit is specified`
  if (limit.compare(bound) > 0) return `${text}, but limit is ${limit}`
  return request && request.compare(bound) > 0 ? `${text}, but request is ${request}` : undefined
}

const ratioTooHigh: Check = (type, name, bound, { requests, limits }) => {
  const [request, limit] = [requests.get(name), limits.get(name)]
  const text = `${name} max limit to request ratio per ${type} is ${bound}`
  if (!request || request.isZero) return `${text}, but no request is specified or request is 0`
  if (!limit || limit.isZero) return `${text}, but no limit is specified or limit is 0`
  const ratio = limit.milliValue() / request.milliValue()
  return ratio * 1000 > bound.milliValue() ? `${text}, but provided ratio is ${ratio.toFixed(6)}` : undefined
}

function claimProblems({ spec }: PersistentVolumeClaim, range: LimitRange): string[] {
  const request = parseAmounts(spec.resources?.requests)
  return range.spec.limits
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap(({ type, min, max }) => [
      ...[...parseAmounts(min)].flatMap(([name, bound]) =>
        claimProblem(`minimum ${name} usage per ${type} is ${bound}`, request.get(name), bound, -1),
      ),
      ...[...parseAmounts(max)].flatMap(([name, bound]) =>
        claimProblem(`maximum ${name} usage per ${type} is ${bound}`, request.get(name), bound, 1),
      ),
    ])
}

function claimProblem(text: string, request: Quantity | undefined, bound: Quantity, wrong: 1 | -1): string[] {
  if (!request) return [`${text}.  No request is specified`]
  return request.compare(bound) === wrong ? [`${text}, but request is ${request}`] : []
}
