import type { UserInfo } from '../../../api/request.ts'

const USER_PREFIX = 'system:node:'

/** The node that a user is; '' for a node that cannot be told apart, undefined for everybody else. */
export function nodeNameOf({ name, groups }: UserInfo): string | undefined {
  if (!name.startsWith(USER_PREFIX) || !groups.includes('system:nodes')) return undefined
  return name.slice(USER_PREFIX.length)
}
