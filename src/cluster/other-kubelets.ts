// How the API server reaches kubelets that are not its own: where they listen, and as whom it asks them.
import { X509Certificate } from 'node:crypto'
import type { NodeAccess } from '../api/node-access.ts'
import { clusterRoleBindings } from '../api/resources.ts'
import { isAlreadyExists, notFound } from '../api/status-error.ts'
import type { Node } from '../api/types/core-v1.ts'
import type { FindBoundObject } from '../apiserver/authn/service-account-tokens.ts'
import type { Pki } from '../apiserver/pki/pki.ts'
import type { PassiveClock } from '../base/clock.ts'
import { generateEcKeyPair, issueCertificate, privateKeyPem } from '../base/x509/certificate.ts'
import type { Client } from '../client/client.ts'
import { remoteKubelets } from '../kubelet/remote/remote-kubelets.ts'

/** kubeadm's name of it; it has the rights of system:kubelet-api-admin and no more. */
const CALLER = 'kube-apiserver-kubelet-client'
const YEAR_MS = 365 * 86_400_000
/** Kubelets whose clock runs a little behind must accept the certificate. */
const BACKDATE_MS = 5 * 60_000
const DEFAULT_PORT = 10_250
/** The order in which kubeadm has the API server try them. */
const PREFERRED = ['InternalIP', 'ExternalIP', 'Hostname']

export interface OtherKubeletsParts {
  pki: Pki
  clock: PassiveClock
  find: FindBoundObject
}

export function otherKubelets({ pki, clock, find }: OtherKubeletsParts): NodeAccess {
  const { publicKey, privateKey } = generateEcKeyPair()
  const certificate = issueCertificate({
    subject: { commonName: CALLER },
    publicKey,
    issuer: {
      subject: { commonName: 'kubernetes' },
      publicKey: new X509Certificate(pki.authorityCertificate).publicKey,
      privateKey: pki.authorityKey,
    },
    notBefore: clock.now() - BACKDATE_MS,
    notAfter: clock.now() + YEAR_MS,
    usage: 'client',
  })
  return remoteKubelets({
    pair: { certificate, privateKey: privateKeyPem(privateKey) },
    async locate(nodeName) {
      const node = (await find('nodes', '', nodeName)) as unknown as Node | undefined
      const url = node && kubeletUrl(node)
      if (!url) throw notFound({ group: '', resource: 'nodes' }, nodeName)
      return url
    },
  })
}

/** Undefined for a node that tells no address. Pure. */
export function kubeletUrl({ status }: Node): string | undefined {
  const byType = (type: string) => status?.addresses?.find(address => address.type === type)?.address
  const address = PREFERRED.map(byType).find(Boolean)
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port || DEFAULT_PORT
  return address && `https://${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** So that kubelets that ask about their caller hear that it may. */
export async function ensureKubeletCaller(client: Client): Promise<void> {
  const binding = {
    metadata: { name: CALLER },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:kubelet-api-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: CALLER }],
  }
  await client.create(clusterRoleBindings, binding).catch(error => {
    if (!isAlreadyExists(error)) throw error
  })
}
