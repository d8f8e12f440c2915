// Impersonate-* headers: acting as somebody else, where the authorizer lets the real caller. Upstream:
// endpoints/filters/impersonation.
import type { UserInfo } from '../../api/request.ts'
import { internalError } from '../../api/status-error.ts'
import { type Authorizer, type ResourceAttributes, requireAllowed } from '../authz/authorizer.ts'

interface Wish {
  name: string | undefined
  uid: string | undefined
  groups: string[]
  extra: Record<string, string[]>
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/

/** The user to go on with: the caller itself without such headers. Throws Forbidden. */
export async function impersonate(
  user: UserInfo,
  headers: NodeJS.Dict<string[]>,
  authorizer: Authorizer,
): Promise<UserInfo> {
  const wish = readWish(headers)
  if (!wish) return user
  if (wish.name === undefined) throw internalError('requested impersonation without impersonating a user')
  for (const target of targets({ ...wish, name: wish.name })) {
    await requireAllowed(authorizer, { user, verb: 'impersonate', version: '', ...target })
  }
  return impersonated({ ...wish, name: wish.name })
}

/** `headers` is IncomingMessage.headersDistinct: names in lower case, repeated values apart. */
function readWish(headers: NodeJS.Dict<string[]>): Wish | undefined {
  const extra: Record<string, string[]> = {}
  for (const [name, values = []] of Object.entries(headers)) {
    if (name.startsWith('impersonate-extra-'))
      extra[decodeKey(name.slice('impersonate-extra-'.length))] = values
  }
  const name = headers['impersonate-user']?.[0]
  const uid = headers['impersonate-uid']?.[0]
  const groups = headers['impersonate-group'] ?? []
  const isAsked = name || uid || groups.length > 0 || Object.keys(extra).length > 0
  return isAsked ? { name, uid, groups, extra } : undefined
}

function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

type Target = Omit<ResourceAttributes, 'user' | 'verb' | 'version'>

function targets({ name, uid, groups, extra }: Wish & { name: string }): Target[] {
  const serviceAccount = SERVICE_ACCOUNT.exec(name)
  const identity = { group: 'authentication.k8s.io' }
  return [
    serviceAccount
      ? {
          group: '',
          resource: 'serviceaccounts',
          namespace: serviceAccount[1],
          name: serviceAccount[2] ?? '',
        }
      : { group: '', resource: 'users', name },
    ...groups.map(group => ({ group: '', resource: 'groups', name: group })),
    ...(uid ? [{ ...identity, resource: 'uids', name: uid }] : []),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map(value => ({ ...identity, resource: 'userextras', subresource: key, name: value })),
    ),
  ]
}

function impersonated({ name, uid, groups, extra }: Wish & { name: string }): UserInfo {
  const implied = groups.length > 0 ? groups : groupsOfServiceAccount(name)
  const standing = name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated'
  const isMarked = implied.includes('system:authenticated') || implied.includes('system:unauthenticated')
  return {
    name,
    groups: isMarked ? implied : [...implied, standing],
    ...(uid && { uid }),
    ...(Object.keys(extra).length > 0 && { extra }),
  }
}

function groupsOfServiceAccount(name: string): string[] {
  const match = SERVICE_ACCOUNT.exec(name)
  return match ? ['system:serviceaccounts', `system:serviceaccounts:${match[1]}`] : []
}
