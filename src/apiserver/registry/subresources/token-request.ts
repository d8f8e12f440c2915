// serviceaccounts/token. Upstream: pkg/registry/core/serviceaccount/storage/token.go.
import type { KubeObject } from '../../../api/kube-object.ts'
import { badRequest, conflict, invalid, notFound } from '../../../api/status-error.ts'
import type { TokenRequest } from '../../../api/types/authentication-v1.ts'
import type { TokenIssuer } from '../../token-issuer.ts'
import type { Endpoint } from '../endpoint.ts'
import { answer, type ResourceHandler } from '../resource-handler.ts'
import type { SubresourceHandler } from './subresource.ts'

const SHORTEST_SECONDS = 600
const DEFAULT_SECONDS = 3600
const LONGEST_SECONDS = 2 ** 32

export interface BoundStores {
  pods: Endpoint['store']
  secrets: Endpoint['store']
  nodes: Endpoint['store']
}

export function tokenRequestHandler(
  handler: ResourceHandler,
  issuer: TokenIssuer,
  stores: BoundStores,
): SubresourceHandler {
  return async (endpoint, request) => {
    const { namespace = '', name = '' } = request
    const account = endpoint.store.get(namespace, name).object
    const write = handler.begin(endpoint, request)
    const object = write.decode(request.body, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
    })
    write.checkTarget(object)
    await write.admit('CREATE', object)
    const wanted = object as unknown as TokenRequest
    const expirationSeconds = wanted.spec.expirationSeconds ?? DEFAULT_SECONDS
    checkSeconds(expirationSeconds)
    const boundObject = findBound(wanted, name, namespace, stores)
    await write.validate('CREATE', object)
    const { uid, creationTimestamp } = account.metadata
    const audiences = wanted.spec.audiences ?? []
    const status = await issuer.issue({
      namespace,
      serviceAccount: name,
      uid,
      audiences,
      expirationSeconds,
      ...(boundObject && { boundObject }),
    })
    const spec = { ...wanted.spec, audiences, expirationSeconds }
    const metadata = { name, namespace, creationTimestamp } as KubeObject['metadata']
    return answer(
      { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata, spec, status },
      201,
    )
  }
}

function checkSeconds(seconds: number): void {
  const why =
    seconds < SHORTEST_SECONDS
      ? 'may not specify a duration less than 10 minutes'
      : seconds > LONGEST_SECONDS
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined
  if (!why) return
  throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [
    {
      reason: 'FieldValueInvalid',
      field: 'spec.expirationSeconds',
      message: `Invalid value: ${seconds}: ${why}`,
    },
  ])
}

/** Throws when the object that the token is to live and die with is not there. */
function findBound({ spec }: TokenRequest, account: string, namespace: string, stores: BoundStores) {
  const reference = spec.boundObjectRef
  if (!reference) return undefined
  const { kind = '', name = '', uid: asked, apiVersion = 'v1' } = reference
  const store = { Pod: stores.pods, Secret: stores.secrets, Node: stores.nodes }[kind]
  if (!store || apiVersion !== 'v1') {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to object of type ${apiVersion}, Kind=${kind}`,
    )
  }
  const found = store.find(store.info.namespaced ? namespace : undefined, name)?.object
  if (!found) throw notFound(store.info, name)
  if (asked && asked !== found.metadata.uid) {
    throw conflict(
      store.info,
      name,
      `the UID in the bound object reference (${asked}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  }
  if (
    kind === 'Pod' &&
    (found as KubeObject & { spec: { serviceAccountName?: string } }).spec.serviceAccountName !== account
  ) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
    )
  }
  return { apiVersion, kind, name, uid: found.metadata.uid }
}
