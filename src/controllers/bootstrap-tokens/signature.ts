// Proof that cluster-info comes from whoever knows a bootstrap token: a JSON Web Signature without its payload.
// Upstream: staging/src/k8s.io/cluster-bootstrap/token/jws.
import { createHmac } from 'node:crypto'
import type { BootstrapToken } from '../../api/bootstrap-token.ts'

/** 'HEADER..SIGNATURE' */
export function detachedSignature(content: string, { id, secret }: BootstrapToken): string {
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const header = encode(JSON.stringify({ alg: 'HS256', kid: id }))
  const signature = createHmac('sha256', secret).update(`${header}.${encode(content)}`)
  return `${header}..${signature.digest('base64url')}`
}

const PREFIX = 'jws-kubeconfig-'

/** The data of cluster-info with one signature for each token; undefined when it is so already. Pure. */
export function signedData(
  data: Readonly<Record<string, string>>,
  tokens: readonly BootstrapToken[],
): Record<string, string> | undefined {
  const { kubeconfig } = data
  if (kubeconfig === undefined) return undefined
  const others = Object.entries(data).filter(([key]) => !key.startsWith(PREFIX))
  const signatures = tokens.map(token => [`${PREFIX}${token.id}`, detachedSignature(kubeconfig, token)])
  const signed = Object.fromEntries([...others, ...signatures]) as Record<string, string>
  const isSame =
    Object.keys(signed).length === Object.keys(data).length &&
    Object.entries(signed).every(([key, value]) => data[key] === value)
  return isSame ? undefined : signed
}
