// What belongs into a Secret with a service account's token. Pure, but for the token.
import type { Secret, ServiceAccount } from '../../api/types/core-v1.ts'

export const TOKEN_TYPE = 'kubernetes.io/service-account-token'

export type IssueToken = (owner: {
  namespace: string
  serviceAccount: string
  uid: string
  secret: string
}) => string

/** undefined: nothing is missing. */
export function filledSecret(
  secret: Secret,
  account: ServiceAccount,
  { issue, authorityCertificate }: { issue: IssueToken; authorityCertificate: string },
): Secret | undefined {
  const { namespace = '', name, annotations } = secret.metadata
  const { data = {} } = secret
  const authority = encode(authorityCertificate)
  const { uid } = account.metadata
  const isFilled =
    data['ca.crt'] === authority &&
    data.namespace !== undefined &&
    data.token !== undefined &&
    annotations?.['kubernetes.io/service-account.uid'] === uid
  if (isFilled) return undefined
  const token =
    data.token ?? encode(issue({ namespace, serviceAccount: account.metadata.name, uid, secret: name }))
  return {
    ...secret,
    metadata: {
      ...secret.metadata,
      annotations: { ...annotations, 'kubernetes.io/service-account.uid': uid },
    },
    data: { ...data, 'ca.crt': authority, namespace: data.namespace ?? encode(namespace), token },
  }
}

const encode = (text: string) => Buffer.from(text).toString('base64')
