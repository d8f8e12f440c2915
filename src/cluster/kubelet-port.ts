// Opens the kubelet's own port, with a certificate of the cluster's authority made anew at each start.
import { X509Certificate } from 'node:crypto'
import type { NodeAccess } from '../api/node-access.ts'
import { PlainError } from '../base/plain-error.ts'
import { generateEcKeyPair, issueCertificate, privateKeyPem } from '../base/x509/certificate.ts'
import type { Client } from '../client/client.ts'
import { DelegatedAccess } from '../kubelet/server/delegated-access.ts'
import { KubeletListener } from '../kubelet/server/kubelet-listener.ts'
import type { RunningApiServer } from './api-server.ts'
import type { ClusterParts } from './parts.ts'

const DEFAULT_PORT = 10_250
const YEAR_MS = 365 * 86_400_000
/** Clients whose clock runs a little behind must accept the certificate. */
const BACKDATE_MS = 5 * 60_000

export interface KubeletPort {
  /** As the kubelet: asks who calls, and whether they may. */
  client: Client
  address: string
  /** Taken by somebody else it is an error; left out, upstream's or, where that is taken, any free one. */
  port?: number
  access: () => Pick<NodeAccess, 'ask'>
}

/** Answers the port that it listens on. */
export async function openKubeletPort(
  api: RunningApiServer,
  parts: ClusterParts,
  { client, address, port, access }: KubeletPort,
): Promise<number> {
  const { clock, log, nodeName } = parts
  const listener = new KubeletListener({
    tls: { ...servingPair(api, parts, address), clientAuthority: api.authorityCertificate },
    access: new DelegatedAccess({ client, clock, nodeName }),
    answer: request => access().ask(nodeName, request),
    log,
  })
  parts.onStop(() => listener.close())
  try {
    return await listener.listen(port ?? DEFAULT_PORT)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    if (port === undefined) return listener.listen(0)
    throw new PlainError(`The kubelet's port ${port} is taken by another program: choose another.`)
  }
}

function servingPair(
  { authorityCertificate, authorityKey }: RunningApiServer,
  parts: ClusterParts,
  address: string,
) {
  const { clock, nodeName } = parts
  const { publicKey, privateKey } = generateEcKeyPair()
  const certificate = issueCertificate({
    subject: { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] },
    publicKey,
    issuer: {
      subject: { commonName: 'kubernetes' },
      publicKey: new X509Certificate(authorityCertificate).publicKey,
      privateKey: authorityKey,
    },
    notBefore: clock.now() - BACKDATE_MS,
    notAfter: clock.now() + YEAR_MS,
    usage: 'server',
    dnsNames: [nodeName, 'localhost'],
    ipAddresses: [...new Set([address, '127.0.0.1'])],
  })
  return { certificate, privateKey: privateKeyPem(privateKey) }
}
