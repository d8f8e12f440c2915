// Refuses what would take a namespace over one of its quotas, and counts what it lets through. Runs last of all.
// Requests of one namespace pass one after the other, so that no two spend the same remainder.
// Upstream: apiserver plugin/pkg/admission/resourcequota.
import type { KubeObject } from '../../api/kube-object.ts'
import { parseAmounts } from '../../api/pod/resources.ts'
import {
  addAmounts,
  amountsText,
  amountsToList,
  exceededNames,
  maskAmounts,
  type ResourceAmounts,
  subtractAmounts,
} from '../../api/quota/amounts.ts'
import { type QuotaEvaluator, quotaEvaluator, quotaMatches } from '../../api/quota/evaluator.ts'
import { internalError, isConflict } from '../../api/status-error.ts'
import type { ResourceQuota } from '../../api/types/core-v1.ts'
import type { PassiveClock } from '../../base/clock.ts'
import { type AdmissionAttributes, type AdmissionPlugin, refuse } from './admission.ts'
import type { ObjectLookup } from './object-lookup.ts'

const ATTEMPTS = 3

export interface ResourceQuotaParts {
  lookup: ObjectLookup
  clock: PassiveClock
  /** Writes the quota's status; throws Conflict when the quota has changed meanwhile. */
  updateStatus(quota: ResourceQuota): Promise<void>
}

interface Charge {
  attributes: AdmissionAttributes
  evaluator: QuotaEvaluator
  object: KubeObject
  usage: ResourceAmounts
  /** What the request adds; less than nothing where an update takes away. */
  added: ResourceAmounts
}

export function resourceQuota(parts: ResourceQuotaParts): AdmissionPlugin {
  /** The last request under way of each namespace. */
  const turns = new Map<string, Promise<void>>()
  return {
    name: 'ResourceQuota',
    async validate(attributes) {
      const { namespace } = attributes
      const charge = namespace ? chargeFor(attributes, parts) : undefined
      if (!namespace || !charge) return
      const turn = (turns.get(namespace) ?? Promise.resolve())
        .catch(() => {})
        .then(() => spend(charge, parts))
      turns.set(namespace, turn)
      try {
        await turn
      } finally {
        if (turns.get(namespace) === turn) turns.delete(namespace)
      }
    },
  }
}

/** undefined: the request costs nothing. */
function chargeFor(
  attributes: AdmissionAttributes,
  { clock, lookup }: ResourceQuotaParts,
): Charge | undefined {
  const { operation, resource, subresource, object, oldObject, namespace = '' } = attributes
  if (!object || !resource.namespaced || (operation !== 'CREATE' && operation !== 'UPDATE')) return undefined
  const isResize = resource.resource === 'pods' && resource.group === '' && subresource === 'resize'
  if (subresource && !isResize) return undefined
  const evaluator = quotaEvaluator(resource)
  if (operation === 'UPDATE' && !evaluator.updates) return undefined
  // The store will refuse it: nothing is to be spent.
  const path = resource.group ? `${resource.group}/${resource.resource}` : resource.resource
  if (operation === 'CREATE' && lookup.findIn(path, namespace, object.metadata.name)) return undefined
  const usage = evaluator.usage(object, clock.now())
  const before: ResourceAmounts = oldObject ? evaluator.usage(oldObject, clock.now()) : new Map()
  return { attributes, evaluator, object, usage, added: subtractAmounts(usage, before) }
}

async function spend(charge: Charge, parts: ResourceQuotaParts): Promise<void> {
  const done = new Set<string>()
  for (let attempt = 1; ; attempt++) {
    const stored = await parts.lookup.listIn('resourcequotas', charge.attributes.namespace ?? '')
    const open = stored.filter(({ metadata }) => !done.has(metadata.name))
    const changed = check(open as unknown as ResourceQuota[], charge)
    if (charge.attributes.dryRun || changed.length === 0) return
    try {
      for (const quota of changed) {
        await parts.updateStatus(quota)
        done.add(quota.metadata.name)
      }
      return
    } catch (error) {
      if (!isConflict(error)) throw error
      if (attempt === ATTEMPTS) throw internalError(error)
    }
  }
}

/** The quotas with the charge counted in. Throws Forbidden. Upstream: CheckRequest. */
function check(quotas: readonly ResourceQuota[], charge: Charge): ResourceQuota[] {
  const { attributes, evaluator, object, added } = charge
  const matching = quotas.filter(({ spec, status }) => quotaMatches({ spec, status }, evaluator, object))
  for (const quota of matching) checkComplete(quota, charge)
  if ([...added.values()].every(amount => amount.isZero)) return []
  return matching.flatMap(quota => {
    const hard = parseAmounts(quota.status?.hard)
    const used = parseAmounts(quota.status?.used)
    const requested = maskAmounts(added, hard.keys())
    const total = addAmounts(used, requested)
    const grown = [...requested].filter(([, amount]) => amount.sign > 0).map(([name]) => name)
    const exceeded = exceededNames(maskAmounts(total, grown), hard)
    if (exceeded.length > 0) {
      const shown = (amounts: ResourceAmounts) => amountsText(maskAmounts(amounts, exceeded))
      throw refuse(
        attributes,
        `exceeded quota: ${quota.metadata.name}, requested: ${shown(requested)}, used: ${shown(used)}, limited: ${shown(hard)}`,
      )
    }
    return requested.size > 0 ? [{ ...quota, status: { ...quota.status, used: amountsToList(total) } }] : []
  })
}

/** The object must say what the quota counts, and the quota must know what is used already. */
function checkComplete({ metadata, status }: ResourceQuota, { attributes, evaluator, object }: Charge): void {
  const names = Object.keys(status?.hard ?? {}).filter(name => evaluator.counts(name))
  const problem = attributes.operation === 'CREATE' ? evaluator.problem?.(names, object) : undefined
  if (problem) throw refuse(attributes, `failed quota: ${metadata.name}: ${problem}`)
  if (!names.every(name => status?.used?.[name] !== undefined)) {
    throw refuse(
      attributes,
      `status unknown for quota: ${metadata.name}, resources: ${names.sort().join(',')}`,
    )
  }
}
