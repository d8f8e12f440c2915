// Fills Secrets of the type kubernetes.io/service-account-token, and takes them away with their account.
// Upstream: pkg/controller/serviceaccount/tokens_controller.go.
import { secrets, serviceAccounts } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Secret, ServiceAccount } from '../../api/types/core-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf, splitKey } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { filledSecret, type IssueToken, TOKEN_TYPE } from './filled-secret.ts'

const ACCOUNT = 'kubernetes.io/service-account.name'
const BY_ACCOUNT = 'account'

export interface TokenControllerParts extends ControllerContext {
  issue: IssueToken
  /** PEM. */
  authorityCertificate: string
}

/** Runs until the signal aborts. */
export async function runServiceAccountTokens(
  parts: TokenControllerParts,
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, log } = parts
  const queue = new WorkQueue<string>({ clock })
  const accounts = new Informer<ServiceAccount>({ client, resource: serviceAccounts, clock, log })
  const tokens = new Informer<Secret>({
    client,
    resource: secrets,
    clock,
    log,
    fieldSelector: `type=${TOKEN_TYPE}`,
    indexers: {
      [BY_ACCOUNT]: ({ metadata }) => [`${metadata.namespace}/${metadata.annotations?.[ACCOUNT] ?? ''}`],
    },
  })
  const enqueueTokens = (account: ServiceAccount) => {
    for (const secret of tokens.lister.byIndex(BY_ACCOUNT, keyOf(account))) queue.add(keyOf(secret))
  }
  accounts.addHandler({ add: enqueueTokens, delete: enqueueTokens })
  tokens.addHandler({
    add: secret => queue.add(keyOf(secret)),
    update: (_, secret) => queue.add(keyOf(secret)),
  })
  const reconcile = async (key: string) => {
    const secret = tokens.lister.findByKey(key)
    if (!secret || secret.metadata.deletionTimestamp) return
    const account = await liveAccount(parts, secret)
    try {
      if (!account) {
        const { uid } = secret.metadata
        await client.delete(secrets, splitKey(key), { preconditions: { uid } })
        return
      }
      const filled = filledSecret(secret, account, parts)
      if (filled) await client.update(secrets, filled)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
  const informers = [accounts, tokens]
  await runController({ informers, queue, reconcile, signal, log })
}

/** Asked of the API: a Secret must not go because the informer has not heard of its account yet. */
async function liveAccount(
  { client }: ControllerContext,
  { metadata }: Secret,
): Promise<ServiceAccount | undefined> {
  const { namespace = '', annotations } = metadata
  const name = annotations?.[ACCOUNT] ?? ''
  try {
    const account = await client.get(serviceAccounts, { namespace, name })
    const uid = annotations?.['kubernetes.io/service-account.uid']
    return uid && uid !== account.metadata.uid ? undefined : account
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
