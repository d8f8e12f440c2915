// What must change for a stored role or binding to hold at least what it should. Pure; only ever adds.
// Upstream: component-helpers auth/rbac/reconciliation.
import type { ClusterRole, Role, RoleBinding, Subject } from '../../../../api/types/rbac-v1.ts'
import { missingRules } from '../policy-rule.ts'
import { AUTOUPDATE, type Draft } from './policy-notation.ts'

type AnyRole = ClusterRole | Role
type Stored<T> = T & { metadata: { annotations?: Record<string, string>; labels?: Record<string, string> } }

const isKept = ({ metadata }: Stored<object>) => metadata.annotations?.[AUTOUPDATE] === 'false'

/** The role as it should be stored, or undefined when it is good, or is not to be touched. */
export function reconcileRole<T extends AnyRole>(stored: T, expected: Draft<T>): T | undefined {
  if (isKept(stored)) return undefined
  const isAggregated = 'aggregationRule' in expected
  const missing = isAggregated ? [] : missingRules(stored.rules ?? [], expected.rules ?? [])
  const selectors = missingSelectors(stored, expected)
  const metadata = mergedMetadata(stored, expected)
  if (missing.length + selectors.length === 0 && !metadata) return undefined
  return {
    ...stored,
    metadata: metadata ?? stored.metadata,
    rules: [...(stored.rules ?? []), ...missing],
    ...(isAggregated && {
      aggregationRule: {
        clusterRoleSelectors: [
          ...((stored as ClusterRole).aggregationRule?.clusterRoleSelectors ?? []),
          ...selectors,
        ],
      },
    }),
  }
}

function missingSelectors(stored: AnyRole, expected: Draft<AnyRole>) {
  const has = (stored as ClusterRole).aggregationRule?.clusterRoleSelectors ?? []
  const wanted = (expected as Draft<ClusterRole>).aggregationRule?.clusterRoleSelectors ?? []
  const texts = new Set(has.map(selector => JSON.stringify(selector)))
  return wanted.filter(selector => !texts.has(JSON.stringify(selector)))
}

/** What the stored object says about a key counts. undefined: nothing is missing. */
function mergedMetadata<M extends { labels?: Record<string, string>; annotations?: Record<string, string> }>(
  { metadata }: { metadata: M },
  {
    metadata: expected,
  }: { metadata: { labels: Record<string, string>; annotations: Record<string, string> } },
): M | undefined {
  const lacks = (has: Record<string, string> | undefined, wanted: Record<string, string>) =>
    Object.keys(wanted).some(key => has?.[key] === undefined)
  if (!lacks(metadata.labels, expected.labels) && !lacks(metadata.annotations, expected.annotations)) {
    return undefined
  }
  return {
    ...metadata,
    labels: { ...expected.labels, ...metadata.labels },
    annotations: { ...expected.annotations, ...metadata.annotations },
  }
}

/** 'replace': the binding leads to another role, which an update cannot change. */
export type BindingChange<T> = { do: 'nothing' } | { do: 'update'; binding: T } | { do: 'replace' }

type AnyBinding = Omit<RoleBinding, 'subjects'> & { subjects?: Subject[] }

export function reconcileBinding<T extends AnyBinding>(stored: T, expected: Draft<T>): BindingChange<T> {
  if (isKept(stored)) return { do: 'nothing' }
  const { kind, name } = expected.roleRef
  if (stored.roleRef.kind !== kind || stored.roleRef.name !== name) return { do: 'replace' }
  const has = new Set((stored.subjects ?? []).map(subjectText))
  const missing = (expected.subjects ?? []).filter(subject => !has.has(subjectText(subject)))
  const metadata = mergedMetadata(stored, expected)
  if (missing.length === 0 && !metadata) return { do: 'nothing' }
  return {
    do: 'update',
    binding: {
      ...stored,
      metadata: metadata ?? stored.metadata,
      subjects: [...(stored.subjects ?? []), ...missing],
    },
  }
}

const subjectText = ({ kind, apiGroup = '', namespace = '', name }: Subject) =>
  JSON.stringify([kind, apiGroup, namespace, name])
