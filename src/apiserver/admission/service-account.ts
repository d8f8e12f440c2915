// Gives pods an identity: their service account, its pull secrets, and a volume with a token of it.
// Upstream: plugin/pkg/admission/serviceaccount.
import type { Container, Pod, ServiceAccount, Volume } from '../../api/types/core-v1.ts'
import { randomSuffix } from '../registry/names.ts'
import { type AdmissionAttributes, type AdmissionPlugin, isResource, refuse } from './admission.ts'
import type { ObjectLookup } from './object-lookup.ts'

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const VOLUME_PREFIX = 'kube-api-access-'
const MIRROR_POD = 'kubernetes.io/config.mirror'
/** A little over an hour, so that the kubelet's hourly refresh has time to spare. */
const TOKEN_SECONDS = 3607

/**
 * `waitForAccount` resolves when the account may be there after all: a pod made right after its namespace
 * must not fail because the controller needs a moment to make the default account. Left out: nobody waits.
 */
export interface ServiceAccountParts {
  lookup: ObjectLookup
  waitForAccount?(namespace: string, name: string): Promise<void>
}

export function serviceAccount(parts: ServiceAccountParts): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    async admit(attributes) {
      if (!isNewPod(attributes)) return
      const pod = attributes.object as unknown as Pod
      if (isMirror(pod)) return
      pod.spec.serviceAccountName ||= 'default'
      // The old name of the field, which upstream's conversion keeps equal.
      pod.spec.serviceAccount = pod.spec.serviceAccountName
      const account = await findAccount(attributes, pod.spec.serviceAccountName, parts)
      if (wantsToken(account, pod)) mountToken(pod)
      if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
        pod.spec.imagePullSecrets = structuredClone(account.imagePullSecrets)
      }
    },
    async validate(attributes) {
      if (!isNewPod(attributes)) return
      const pod = attributes.object as unknown as Pod
      if (isMirror(pod)) checkMirror(attributes, pod)
      else await findAccount(attributes, pod.spec.serviceAccountName ?? '', parts)
    },
  }
}

function isNewPod(attributes: AdmissionAttributes): boolean {
  return isResource(attributes, 'pods') && !attributes.subresource && attributes.operation === 'CREATE'
}

const isMirror = ({ metadata }: Pod) => metadata.annotations?.[MIRROR_POD] !== undefined

/** What a kubelet reads from a file must not reach for the cluster's secrets. */
function checkMirror(attributes: AdmissionAttributes, { spec }: Pod): void {
  if (spec.serviceAccountName) throw refuse(attributes, 'a mirror pod may not reference service accounts')
  const projectsToken = spec.volumes?.some(({ projected }) =>
    projected?.sources?.some(source => source.serviceAccountToken),
  )
  if (spec.volumes?.some(({ secret }) => secret)) {
    throw refuse(attributes, 'a mirror pod may not reference secrets')
  }
  if (projectsToken)
    throw refuse(attributes, 'a mirror pod may not use ServiceAccountToken volume projections')
}

async function findAccount(
  attributes: AdmissionAttributes,
  name: string,
  { lookup, waitForAccount }: ServiceAccountParts,
): Promise<ServiceAccount> {
  const { namespace = '' } = attributes
  let found = lookup.serviceAccount(namespace, name)
  if (!found && waitForAccount && lookup.namespace(namespace)) {
    await waitForAccount(namespace, name)
    found = lookup.serviceAccount(namespace, name)
  }
  if (found) return found as unknown as ServiceAccount
  throw refuse(
    attributes,
    `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
  )
}

/** The pod's own word counts before the account's. */
function wantsToken({ automountServiceAccountToken }: ServiceAccount, { spec }: Pod): boolean {
  return spec.automountServiceAccountToken ?? automountServiceAccountToken ?? true
}

function mountToken({ spec }: Pod): void {
  const existing = spec.volumes?.find(({ name }) => name.startsWith(VOLUME_PREFIX))
  const taken = new Set(spec.volumes?.map(volume => volume.name))
  let name = existing?.name ?? VOLUME_PREFIX + randomSuffix()
  while (!existing && taken.has(name)) name = VOLUME_PREFIX + randomSuffix()
  const needing = [...(spec.initContainers ?? []), ...spec.containers].filter(
    container => !hasMount(container),
  )
  for (const container of needing) {
    container.volumeMounts = [
      ...(container.volumeMounts ?? []),
      { name, readOnly: true, mountPath: MOUNT_PATH },
    ]
  }
  if (needing.length > 0 && !existing) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)]
}

/** Something of the author's own stands there. */
const hasMount = ({ volumeMounts }: Container) =>
  volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH) === true

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: TOKEN_SECONDS } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  }
}
