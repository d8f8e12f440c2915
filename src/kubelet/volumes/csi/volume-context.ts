// What a driver is told beside the volume itself: the Pod, tokens of its service account, and secrets.
// Upstream: csi_mounter.go getPodInfoAttrs, podServiceAccountTokenAttrs; csi_util.go getCredentialsFromSecret.
import { secrets } from '../../../api/resources.ts'
import type { Pod, SecretReference } from '../../../api/types/core-v1.ts'
import type { CSIDriver } from '../../../api/types/storage-v1.ts'
import type { Client } from '../../../client/client.ts'
import type { PodTokens } from '../pod-tokens.ts'
import type { Texts } from './csi-api.ts'
import type { CsiVolume } from './csi-volume.ts'
import { sortedJson } from './node-info.ts'

const TOKENS = 'csi.storage.k8s.io/serviceAccount.tokens'

/** For volume_context, where the driver's object asks for it. */
export function podInfo(pod: Pod, { lifecycle }: CsiVolume, driver: CSIDriver | undefined): Texts {
  if (!driver?.spec.podInfoOnMount) return {}
  const { name, namespace = '', uid } = pod.metadata
  return {
    'csi.storage.k8s.io/pod.name': name,
    'csi.storage.k8s.io/pod.namespace': namespace,
    'csi.storage.k8s.io/pod.uid': uid,
    'csi.storage.k8s.io/serviceAccount.name': pod.spec.serviceAccountName ?? '',
    'csi.storage.k8s.io/ephemeral': String(lifecycle === 'Ephemeral'),
  }
}

/** One token for each audience that the driver's object names. */
export async function podTokens(
  pod: Pod,
  driver: CSIDriver | undefined,
  tokens: PodTokens,
  now: number,
): Promise<Texts> {
  const requests = driver?.spec.tokenRequests ?? []
  if (requests.length === 0) return {}
  const answers = await Promise.all(
    requests.map(async ({ audience, expirationSeconds }) => {
      const wanted = { audience, ...(expirationSeconds !== undefined && { expirationSeconds }) }
      const { token, expiresAt } = await tokens.get(pod, wanted, now)
      const expirationTimestamp = new Date(expiresAt).toISOString().replace(/\.\d+Z$/, 'Z')
      return [audience, { token, expirationTimestamp }] as const
    }),
  )
  return { [TOKENS]: sortedJson(Object.fromEntries(answers)) }
}

/** Throws with the reference's name in the kubelet's words: 'NodePublishSecretRef'. */
export async function secretTexts(
  client: Client,
  reference: SecretReference | undefined,
  called: string,
): Promise<Texts> {
  if (!reference?.name) return {}
  const { name, namespace = '' } = reference
  try {
    const { data = {} } = await client.get(secrets, { name, namespace })
    const entries = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])
    return Object.fromEntries(entries) as Texts
  } catch (error) {
    const why = `failed to find the secret ${name} in the namespace ${namespace} with error: ${(error as Error).message}`
    throw new Error(`fetching ${called} ${namespace}/${name} failed: kubernetes.io/csi: ${why}`)
  }
}
