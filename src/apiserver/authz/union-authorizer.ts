// Several authorizers in turn. Upstream: authorization/union, and authorizerfactory's privileged groups.
import type { UserInfo } from '../../api/request.ts'
import type { Attributes, Authorizer, Decision } from './authorizer.ts'
import type { SubjectRules } from './rules.ts'

/** The first opinion counts. Reasons of those without one are told one per line, as upstream joins them. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(attributes) {
      const reasons: string[] = []
      for (const [index, authorizer] of authorizers.entries()) {
        const answer = authorizer.authorize(attributes)
        if (answer instanceof Promise)
          return finish(answer, authorizers.slice(index + 1), attributes, reasons)
        if (answer.decision !== 'noOpinion') return answer
        if (answer.reason) reasons.push(answer.reason)
      }
      return noOpinion(reasons)
    },
    async rulesFor(user, namespace) {
      const all = await Promise.all(authorizers.map(authorizer => authorizer.rulesFor(user, namespace)))
      return joinRules(all)
    },
  }
}

async function finish(
  pending: Promise<Decision>,
  rest: readonly Authorizer[],
  attributes: Attributes,
  reasons: string[],
): Promise<Decision> {
  for (const next of [() => pending, ...rest.map(authorizer => () => authorizer.authorize(attributes))]) {
    const answer = await next()
    if (answer.decision !== 'noOpinion') return answer
    if (answer.reason) reasons.push(answer.reason)
  }
  return noOpinion(reasons)
}

function noOpinion(reasons: readonly string[]): Decision {
  return { decision: 'noOpinion', ...(reasons.length > 0 && { reason: reasons.join('\n') }) }
}

function joinRules(all: readonly SubjectRules[]): SubjectRules {
  const errors = all.flatMap(({ evaluationError }) => evaluationError ?? [])
  return {
    resourceRules: all.flatMap(({ resourceRules }) => resourceRules),
    nonResourceRules: all.flatMap(({ nonResourceRules }) => nonResourceRules),
    incomplete: all.some(({ incomplete }) => incomplete),
    ...(errors.length > 0 && { evaluationError: errors.join(', ') }),
  }
}

/** The group of the cluster's administrators may do everything, whatever the roles say. */
export const mastersAuthorizer: Authorizer = {
  authorize: ({ user }) => ({ decision: isMaster(user) ? 'allow' : 'noOpinion' }),
  rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
}

export const isMaster = ({ groups }: UserInfo): boolean => groups.includes('system:masters')
