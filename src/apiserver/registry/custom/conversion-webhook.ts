// Versions of a custom resource that a webhook turns into each other.
// Upstream: apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go.
import { randomUUID } from 'node:crypto'
import type { KubeObject } from '../../../api/kube-object.ts'
import { internalError } from '../../../api/status-error.ts'
import type { WebhookClientConfig } from '../../../api/types/admissionregistration-v1.ts'
import type { ConversionReview, CustomResourceDefinition } from '../../../api/types/apiextensions-v1.ts'
import { WebhookFailure } from '../../admission/webhook/review.ts'
import { askWebhook, type WebhookClientParts } from '../../admission/webhook/webhook-client.ts'

const TIMEOUT_MS = 30_000

export type Converter = (objects: readonly KubeObject[], apiVersion: string) => Promise<KubeObject[]>

/** undefined when versions differ in name only. Converters throw InternalError. */
export function webhookConverter(
  { spec }: CustomResourceDefinition,
  parts: WebhookClientParts,
): Converter | undefined {
  const { conversion, names, group } = spec
  const config = conversion?.strategy === 'Webhook' ? conversion.webhook?.clientConfig : undefined
  if (!config) return undefined
  return async (objects, apiVersion) => {
    const uid = randomUUID()
    const review = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      request: { uid, desiredAPIVersion: apiVersion, objects },
    }
    try {
      const answer = await askWebhook(config as WebhookClientConfig, review, TIMEOUT_MS, parts)
      return convertedOf(answer as ConversionReview | null, uid, objects)
    } catch (error) {
      if (!(error instanceof WebhookFailure)) throw error
      throw internalError(`conversion webhook for ${group}, Kind=${names.kind} failed: ${error.message}`)
    }
  }
}

function convertedOf(
  review: ConversionReview | null,
  uid: string,
  objects: readonly KubeObject[],
): KubeObject[] {
  const response = review?.response
  if (!response || response.uid !== uid) throw new WebhookFailure('the answer is not one to this review')
  const { status, message } = (response.result ?? {}) as { status?: string; message?: string }
  if (status !== 'Success') throw new WebhookFailure(message || 'response.result.status was not Success')
  const converted = response.convertedObjects as KubeObject[]
  if (converted.length !== objects.length) {
    throw new WebhookFailure(`returned ${converted.length} objects, expected ${objects.length}`)
  }
  return converted.map((object, index) => withOwnMetadata(object, objects[index]!))
}

/** Labels and annotations are all that a conversion changes of it. Upstream: restoreObjectMeta. */
function withOwnMetadata(converted: KubeObject, { metadata }: KubeObject): KubeObject {
  const { labels: _, annotations: __, ...own } = metadata
  const { labels, annotations } = converted.metadata ?? ({} as KubeObject['metadata'])
  return {
    ...converted,
    metadata: { ...own, ...(labels && { labels }), ...(annotations && { annotations }) },
  }
}
