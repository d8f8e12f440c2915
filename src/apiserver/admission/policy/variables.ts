// What expressions of policies and match conditions see of a request.
// Upstream: apiserver admission/plugin/cel/{compile,condition}.go.
import { CelAuthorizer } from '../../../api/cel/authorizer-functions.ts'
import { CelError, celValue, compile } from '../../../api/cel/environment.ts'
import type { KubeObject } from '../../../api/kube-object.ts'
import type { UserInfo } from '../../../api/request.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { reviewFor } from '../webhook/review.ts'

export type Variables = Record<string, unknown>

export interface VariableParts {
  authorizer: Authorizer
  namespaceObject?: KubeObject | undefined
  params?: KubeObject | undefined
}

export function requestVariables(attributes: AdmissionAttributes, parts: VariableParts): Variables {
  const { request } = reviewFor(attributes)
  const { object, oldObject, ...rest } = request as unknown as Record<string, unknown>
  return {
    object: celValue(object),
    oldObject: celValue(oldObject),
    request: celValue(rest),
    params: celValue(parts.params ?? null),
    namespaceObject: celValue(parts.namespaceObject ?? null),
    authorizer: authorizerFor(attributes, parts.authorizer),
  }
}

function authorizerFor(
  { user, resource, subresource, namespace, name }: AdmissionAttributes,
  authorizer: Authorizer,
): CelAuthorizer {
  const ask: CelAuthorizer['ask'] = ({ verb, path, serviceAccount, ...asked }) => {
    const who = serviceAccount ? accountUser(serviceAccount) : user
    const answer = authorizer.authorize(
      path === undefined
        ? {
            user: who,
            verb,
            group: asked.group ?? '',
            version: '*',
            resource: asked.resource ?? '',
            ...onlyGiven(asked),
          }
        : { user: who, verb, path },
    )
    if (answer instanceof Promise) throw new CelError('the authorizer does not answer at once')
    return { allowed: answer.decision === 'allow', reason: answer.reason ?? '' }
  }
  const question = {
    group: resource.group,
    resource: resource.resource,
    ...onlyGiven({ subresource, namespace, name }),
  }
  return new CelAuthorizer(ask, {}, new CelAuthorizer(ask, question))
}

function onlyGiven(asked: {
  subresource?: string | undefined
  namespace?: string | undefined
  name?: string | undefined
}) {
  const { subresource, namespace, name } = asked
  return { ...(subresource && { subresource }), ...(namespace && { namespace }), ...(name && { name }) }
}

function accountUser({ namespace, name }: { namespace: string; name: string }): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  }
}

/** Named expressions, each worked out when it is first asked for. */
export function withNamedVariables(
  variables: Variables,
  named: readonly { name: string; expression: string }[],
): Variables {
  const own: Variables = {}
  const all: Variables = { ...variables, variables: own }
  for (const { name, expression } of named) {
    let known: { value: unknown } | undefined
    Object.defineProperty(own, name, {
      enumerable: true,
      get() {
        known ??= { value: compile(expression)(all) }
        return known.value
      },
    })
  }
  return all
}

/** Do all conditions hold? Throws CelError when one fails and none says no. Upstream: matchconditions.Matcher. */
export function conditionsHold(
  conditions: readonly { name: string; expression: string }[],
  variables: Variables,
): boolean {
  let failure: unknown
  for (const { expression } of conditions) {
    try {
      if (compile(expression)(variables) !== true) return false
    } catch (error) {
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
  return true
}
