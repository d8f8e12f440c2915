// As whom the controllers speak. As upstream: what they watch is shared and read as the controller manager; everything
// else each does under the service account of its name, and may do what the ClusterRole of that name allows
// (src/apiserver/authz/rbac/bootstrap/controller-roles.ts).
import type { ApiHandler, UserInfo } from '../api/request.ts'
import { Client } from '../client/client.ts'

const AUTHENTICATED = 'system:authenticated'
const MANAGER: UserInfo = { name: 'system:kube-controller-manager', groups: [AUTHENTICATED] }
const USER_AGENT = 'kube-controller-manager'

/** `account`: 'job-controller'; its role must exist. */
export function controllerClient(handle: ApiHandler, account: string): Client {
  const user: UserInfo = {
    name: `system:serviceaccount:kube-system:${account}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', AUTHENTICATED],
  }
  const asEither: ApiHandler = request =>
    handle(request.verb === 'list' || request.verb === 'watch' ? { ...request, user: MANAGER } : request)
  return new Client(asEither, user, USER_AGENT)
}
