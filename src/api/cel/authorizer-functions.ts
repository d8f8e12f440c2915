// Questions about rights inside of expressions: authorizer.group('apps').resource('deployments').check('create').allowed().
// Upstream: apiserver cel/library/authz.go.
import type { Environment } from '@marcbachmann/cel-js'

export interface AuthorizerQuestion {
  verb: string
  path?: string
  group?: string
  resource?: string
  subresource?: string
  namespace?: string
  name?: string
  /** Asked for somebody else. */
  serviceAccount?: { namespace: string; name: string }
}

export type AskAuthorizer = (question: AuthorizerQuestion) => { allowed: boolean; reason: string }

/** The variable `authorizer`. */
export class CelAuthorizer {
  readonly ask: AskAuthorizer
  readonly question: Omit<AuthorizerQuestion, 'verb'>

  /** Asks about what the request itself is about. */
  readonly requestResource: CelAuthorizer | undefined

  constructor(
    ask: AskAuthorizer,
    question: Omit<AuthorizerQuestion, 'verb'> = {},
    requestResource?: CelAuthorizer,
  ) {
    this.ask = ask
    this.question = question
    this.requestResource = requestResource
  }

  with(more: Partial<AuthorizerQuestion>): CelAuthorizer {
    return new CelAuthorizer(this.ask, { ...this.question, ...more })
  }
}

class CelDecision {
  readonly allowed: boolean
  readonly reason: string

  constructor({ allowed, reason }: { allowed: boolean; reason: string }) {
    this.allowed = allowed
    this.reason = reason
  }
}

export function registerAuthorizer(environment: Environment): void {
  const [type, decision] = ['kubernetes.authorization.Authorizer', 'kubernetes.authorization.Decision']
  environment
    .registerType(type, { ctor: CelAuthorizer, fields: { requestResource: 'dyn' } })
    .registerType(decision, CelDecision)
  for (const field of ['path', 'group', 'resource', 'subresource', 'namespace', 'name'] as const) {
    environment.registerFunction(`${type}.${field}(string): ${type}`, (asked: CelAuthorizer, value: string) =>
      asked.with({ [field]: value }),
    )
  }
  environment
    .registerFunction(
      `${type}.serviceAccount(string, string): ${type}`,
      (asked: CelAuthorizer, namespace: string, name: string) =>
        asked.with({ serviceAccount: { namespace, name } }),
    )
    .registerFunction(
      `${type}.check(string): ${decision}`,
      ({ ask, question }: CelAuthorizer, verb: string) => new CelDecision(ask({ ...question, verb })),
    )
    .registerFunction(`${decision}.allowed(): bool`, ({ allowed }: CelDecision) => allowed)
    .registerFunction(`${decision}.reason(): string`, ({ reason }: CelDecision) => reason)
    .registerFunction(`${decision}.errored(): bool`, () => false)
    .registerFunction(`${decision}.error(): string`, () => '')
}
