// Forgets certificate requests that are of no more use. Upstream: pkg/controller/certificates/cleaner.
import { X509Certificate } from 'node:crypto'
import { hasFailed, isApproved, isDenied } from '../../api/certificates/conditions.ts'
import { certificateSigningRequests } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { CertificateSigningRequest } from '../../api/types/certificates-v1.ts'
import type { ControllerContext } from '../controller-context.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Runs until the signal aborts. */
export async function runCertificateCleaning(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { items } = await client.list(certificateSigningRequests)
      for (const { metadata } of items.filter(request => isOver(request, clock.now()))) {
        await client.delete(certificateSigningRequests, { name: metadata.name })
      }
    } catch (error) {
      if (!isNotFound(error)) log.warn({ error }, 'old certificate requests stay until the next hour')
    }
    await clock.sleep(HOUR_MS, signal).catch(() => {})
  }
}

/** Pure. `now`: epoch milliseconds. */
export function isOver(request: CertificateSigningRequest, now: number): boolean {
  const { metadata, status } = request
  const isOlder = (since: string | undefined, ms: number) =>
    since !== undefined && now - Date.parse(since) > ms
  const settledAt = (type: string) =>
    status?.conditions?.find(condition => condition.type === type)?.lastUpdateTime
  if (status?.certificate) {
    const text = Buffer.from(status.certificate, 'base64').toString()
    if (endOf(text) < now) return true
    return isOlder(settledAt('Approved'), HOUR_MS)
  }
  if (isDenied(request)) return isOlder(settledAt('Denied'), HOUR_MS)
  if (hasFailed(request)) return isOlder(settledAt('Failed'), HOUR_MS)
  if (isApproved(request)) return isOlder(settledAt('Approved'), HOUR_MS)
  return isOlder(metadata.creationTimestamp, DAY_MS)
}

function endOf(pem: string): number {
  try {
    return new X509Certificate(pem).validToDate.getTime()
  } catch {
    // Another signer's own form: only its age counts.
    return Number.POSITIVE_INFINITY
  }
}
