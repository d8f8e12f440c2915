// Webhooks that change and refuse what is written, as their configurations say.
// Upstream: apiserver admission/plugin/webhook/{mutating,validating}.
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../../api/kube-object.ts'
import { badRequest, internalError } from '../../../api/status-error.ts'
import type { AdmissionResponse } from '../../../api/types/admission-v1.ts'
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
} from '../../../api/types/admissionregistration-v1.ts'
import { goQuote } from '../../../api/validation/field-error.ts'
import { applyJsonPatch } from '../../patch/json-patch.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { wants } from './matching.ts'
import { denial, readResponse, reviewFor, WebhookFailure } from './review.ts'
import { askWebhook, type WebhookClientParts } from './webhook-client.ts'

const GROUP = 'admissionregistration.k8s.io'
const DEFAULT_TIMEOUT_SECONDS = 10

/** Says whether all of a webhook's matchConditions hold. Throws Error for an expression that fails. */
export type ConditionJudge = (
  conditions: readonly { name: string; expression: string }[],
  attributes: AdmissionAttributes,
) => Promise<boolean>

export interface WebhookParts extends WebhookClientParts {
  conditionsHold: ConditionJudge
}

type Webhook = MutatingWebhook | ValidatingWebhook

export function mutatingWebhooks(parts: WebhookParts): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    async admit(attributes) {
      const hooks = (await webhooksFor(
        'mutatingwebhookconfigurations',
        attributes,
        parts,
      )) as MutatingWebhook[]
      /** What each saw last; those that ask for it are called again when others changed that. */
      const seen = new Map<MutatingWebhook, unknown>()
      for (const hook of hooks) await mutate(hook, attributes, parts, seen)
      for (const hook of hooks) {
        const isOutdated = seen.has(hook) && !isDeepStrictEqual(seen.get(hook), attributes.object)
        if (hook.reinvocationPolicy === 'IfNeeded' && isOutdated) await mutate(hook, attributes, parts, seen)
      }
    },
  }
}

export function validatingWebhooks(parts: WebhookParts): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    async validate(attributes) {
      const hooks = await webhooksFor('validatingwebhookconfigurations', attributes, parts)
      const answers = await Promise.all(hooks.map(hook => ask(hook, attributes, false, parts)))
      for (const [index, answer] of answers.entries()) {
        if (answer && !answer.allowed) throw denial(hooks[index]!.name, answer)
      }
    },
  }
}

/** In the order of their configurations' names. Throws Forbidden when conditions cannot be judged. */
async function webhooksFor(
  resource: string,
  attributes: AdmissionAttributes,
  { lookup, conditionsHold }: WebhookParts,
): Promise<Webhook[]> {
  if (attributes.resource.group === GROUP) return []
  const stored = await lookup.listAll(`${GROUP}/${resource}`)
  if (stored.length === 0) return []
  const namespace = attributes.namespace ? lookup.namespace(attributes.namespace) : undefined
  const all = (stored as unknown as MutatingWebhookConfiguration[]).flatMap(({ webhooks = [] }) => webhooks)
  const wanted: Webhook[] = []
  for (const hook of all) {
    if (!wants({ ...hook, rules: hook.rules ?? [] }, attributes, namespace)) continue
    if (await judged(hook, attributes, conditionsHold)) wanted.push(hook)
  }
  return wanted
}

async function judged(
  hook: Webhook,
  attributes: AdmissionAttributes,
  holds: ConditionJudge,
): Promise<boolean> {
  const { matchConditions = [], failurePolicy, name } = hook
  if (matchConditions.length === 0) return true
  try {
    return await holds(matchConditions, attributes)
  } catch (error) {
    if (failurePolicy === 'Ignore') return false
    throw internalError(
      `failed calling webhook ${goQuote(name)}: ${error instanceof Error ? error.message : error}`,
    )
  }
}

async function mutate(
  hook: MutatingWebhook,
  attributes: AdmissionAttributes,
  parts: WebhookParts,
  seen: Map<MutatingWebhook, unknown>,
): Promise<void> {
  const answer = await ask(hook, attributes, true, parts)
  if (answer && !answer.allowed) throw denial(hook.name, answer)
  if (answer?.patch && attributes.object) {
    const patch: unknown = JSON.parse(Buffer.from(answer.patch, 'base64').toString('utf8'))
    const patched = applyJsonPatch(attributes.object, patch) as KubeObject
    replaceObject(attributes.object, attributes.decode?.(patched) ?? patched)
  }
  seen.set(hook, structuredClone(attributes.object))
}

/** The handler holds on to the object: it becomes the other one. */
function replaceObject(object: KubeObject, by: KubeObject): void {
  for (const field of Object.keys(object)) delete object[field]
  Object.assign(object, by)
}

/** undefined: it failed, and its policy is not to care. */
async function ask(
  hook: Webhook,
  attributes: AdmissionAttributes,
  mutating: boolean,
  parts: WebhookParts,
): Promise<AdmissionResponse | undefined> {
  const { name, sideEffects, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, failurePolicy, clientConfig } = hook
  if (attributes.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') {
    throw badRequest(`admission webhook ${goQuote(name)} does not support dry run`)
  }
  const review = reviewFor(attributes)
  try {
    const body = await askWebhook(clientConfig, review, timeoutSeconds * 1000, parts)
    const answer = readResponse(body, review.request!.uid, mutating)
    for (const text of answer.warnings ?? []) attributes.warn(text)
    return answer
  } catch (error) {
    if (!(error instanceof WebhookFailure)) throw error
    if (failurePolicy === 'Ignore') return undefined
    throw internalError(`failed calling webhook ${goQuote(name)}: ${error.message}`)
  }
}
