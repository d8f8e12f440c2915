// What one RBAC rule allows, and which rules others cover. Pure.
// Upstream: pkg/apis/rbac/v1/evaluation_helpers.go and component-helpers auth/rbac/validation.
import type { PolicyRule } from '../../../api/types/rbac-v1.ts'
import { goQuote } from '../../../api/validation/field-error.ts'
import { type Attributes, isNonResource, type ResourceAttributes } from '../authorizer.ts'

const ALL = '*'

export function ruleAllows(attributes: Attributes, rule: PolicyRule): boolean {
  if (!matches(rule.verbs, attributes.verb)) return false
  if (isNonResource(attributes))
    return (rule.nonResourceURLs ?? []).some(url => pathMatches(url, attributes.path))
  return (
    matches(rule.apiGroups, attributes.group) &&
    resourceMatches(rule, attributes) &&
    nameMatches(rule, attributes)
  )
}

const matches = (list: readonly string[] | undefined, value: string) =>
  list !== undefined && (list.includes(ALL) || list.includes(value))

/** A subresource is matched by 'pods/log' and by any resource's 'log', which is written with a star. */
function resourceMatches({ resources }: PolicyRule, { resource, subresource }: ResourceAttributes): boolean {
  if (!resources) return false
  if (!subresource) return matches(resources, resource)
  return matches(resources, `${resource}/${subresource}`) || resources.includes(`${ALL}/${subresource}`)
}

/** Rules with names never allow what has no name yet. */
function nameMatches({ resourceNames = [] }: PolicyRule, { name = '' }: ResourceAttributes): boolean {
  return resourceNames.length === 0 || resourceNames.includes(name)
}

function pathMatches(pattern: string, path: string): boolean {
  if (pattern === ALL || pattern === path) return true
  return pattern.endsWith(ALL) && path.startsWith(pattern.replace(/\*+$/, ''))
}

/** The parts of `wanted` that no rule of `owned` covers, taken apart into single permissions. */
export function missingRules(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(takeApart).filter(part => !owned.some(rule => covers(rule, part)))
}

/** One verb on one resource of one group, with at most one name; or one verb on one path. */
function takeApart({
  verbs,
  apiGroups = [],
  resources = [],
  resourceNames = [],
  nonResourceURLs = [],
}: PolicyRule): PolicyRule[] {
  const names = resourceNames.length > 0 ? resourceNames.map(name => [name]) : [undefined]
  const onResources = apiGroups.flatMap(group =>
    resources.flatMap(resource =>
      verbs.flatMap(verb =>
        names.map(name => ({
          verbs: [verb],
          apiGroups: [group],
          resources: [resource],
          ...(name && { resourceNames: name }),
        })),
      ),
    ),
  )
  const onPaths = nonResourceURLs.flatMap(url =>
    verbs.map(verb => ({ verbs: [verb], nonResourceURLs: [url] })),
  )
  return [...onResources, ...onPaths]
}

/** Upstream: ruleCovers. `part` comes from takeApart. */
function covers(rule: PolicyRule, part: PolicyRule): boolean {
  const [verb = ''] = part.verbs
  if (!matches(rule.verbs, verb)) return false
  if (part.nonResourceURLs) return coversPath(rule.nonResourceURLs ?? [], part.nonResourceURLs[0] ?? '')
  const [resource = ''] = part.resources ?? []
  return (
    matches(rule.apiGroups, part.apiGroups?.[0] ?? '') &&
    coversResource(rule.resources ?? [], resource) &&
    coversName(rule.resourceNames ?? [], part.resourceNames)
  )
}

function coversResource(owned: readonly string[], resource: string): boolean {
  if (owned.includes(ALL) || owned.includes(resource)) return true
  const slash = resource.indexOf('/')
  return slash >= 0 && owned.includes(`${ALL}${resource.slice(slash)}`)
}

function coversName(owned: readonly string[], names: readonly string[] | undefined): boolean {
  if (owned.length === 0) return true
  return names?.every(name => owned.includes(name)) ?? false
}

function coversPath(owned: readonly string[], path: string): boolean {
  return owned.some(
    own => own === ALL || own === path || (own.endsWith(ALL) && path.startsWith(own.replace(/\*+$/, ''))),
  )
}

/** Joins single permissions that differ by verb only. Upstream: CompactRules. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const simple = new Map<string, PolicyRule>()
  const others: PolicyRule[] = []
  for (const rule of rules) {
    const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
    const isSimple =
      apiGroups.length === 1 && resources.length === 1 && resourceNames.length + nonResourceURLs.length === 0
    if (!isSimple) {
      others.push(rule)
      continue
    }
    const key = `${apiGroups[0]} ${resources[0]}`
    const known = simple.get(key)
    simple.set(key, { ...rule, verbs: [...(known?.verbs ?? []), ...verbs] })
  }
  return [...others, ...simple.values()]
}

const LISTS = [
  ['APIGroups', 'apiGroups'],
  ['Resources', 'resources'],
  ['NonResourceURLs', 'nonResourceURLs'],
  ['ResourceNames', 'resourceNames'],
  ['Verbs', 'verbs'],
] as const

/** '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}': upstream's CompactString. */
export function describeRule(rule: PolicyRule): string {
  const parts = LISTS.filter(([, field]) => (rule[field] ?? []).length > 0).map(
    ([name, field]) => `${name}:${quoteList(rule[field] ?? [])}`,
  )
  return `{${parts.join(', ')}}`
}

/** Go's %q of a list. */
export const quoteList = (list: readonly string[]): string => `[${list.map(goQuote).join(' ')}]`
