// Reviews: resources that are asked and never stored. They are answered here, in front of the registry.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ApiHandler, ApiRequest, UserInfo } from '../../api/request.ts'
import { decodeObject } from '../../api/schema/decode-object.ts'
import { badRequest, invalid, StatusError } from '../../api/status-error.ts'
import type { TokenReview } from '../../api/types/authentication-v1.ts'
import type {
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
} from '../../api/types/authorization-v1.ts'
import { type Attributes, type Authorizer, resourceAttributes } from './authorizer.ts'

/** Judges a token for TokenReview. Empty audiences: the server's own. Throws StatusError for a bad one. */
export type TokenReviewer = (
  token: string,
  audiences: readonly string[],
) => Promise<{ user: UserInfo; audiences: string[] }>

export interface ReviewOptions {
  authorizer: Authorizer
  reviewToken: TokenReviewer
}

/** Answers the reviews itself and hands everything else to `handle`. */
export function withVirtualResources(handle: ApiHandler, options: ReviewOptions): ApiHandler {
  return async request => {
    const review = request.verb === 'create' ? reviews.get(`${request.group}/${request.resource}`) : undefined
    if (!review || request.version !== 'v1' || request.subresource) return handle(request)
    const { kind, answer } = review
    const apiVersion = `${request.group}/v1`
    const { object, warnings } = decodeObject(
      request.body,
      apiVersion,
      kind,
      request.options?.fieldValidation,
    )
    const { status, spec = object.spec } = await answer(object, request, options)
    const answered = { ...object, metadata: object.metadata ?? {}, ...(spec ? { spec } : {}), status }
    return { kind: 'object', code: 201, object: answered as KubeObject, warnings }
  }
}

interface Review {
  kind: string
  answer: (
    object: KubeObject,
    request: ApiRequest,
    options: ReviewOptions,
  ) => Promise<{ status: object; spec?: object }>
}

const reviews = new Map<string, Review>([
  ['authentication.k8s.io/selfsubjectreviews', { kind: 'SelfSubjectReview', answer: whoAmI }],
  ['authentication.k8s.io/tokenreviews', { kind: 'TokenReview', answer: reviewToken }],
  ['authorization.k8s.io/subjectaccessreviews', { kind: 'SubjectAccessReview', answer: reviewAccess }],
  [
    'authorization.k8s.io/localsubjectaccessreviews',
    { kind: 'LocalSubjectAccessReview', answer: reviewLocalAccess },
  ],
  [
    'authorization.k8s.io/selfsubjectaccessreviews',
    { kind: 'SelfSubjectAccessReview', answer: reviewOwnAccess },
  ],
  ['authorization.k8s.io/selfsubjectrulesreviews', { kind: 'SelfSubjectRulesReview', answer: reviewRules }],
])

async function whoAmI(_object: KubeObject, { user }: ApiRequest) {
  return { status: { userInfo: userInfo(user) } }
}

/** authentication.k8s.io/v1 UserInfo. */
function userInfo({ name, uid, groups, extra }: UserInfo) {
  return { username: name, ...(uid && { uid }), groups, ...(extra && { extra }) }
}

async function reviewToken(object: KubeObject, _request: ApiRequest, options: ReviewOptions) {
  const { token, audiences = [] } = (object as unknown as TokenReview).spec
  if (!token) throw badRequest('token is required for TokenReview in authentication')
  try {
    const verified = await options.reviewToken(token, audiences)
    const asked = audiences.length > 0 && { audiences: verified.audiences }
    return { status: { authenticated: true, user: userInfo(verified.user), ...asked } }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return { status: { user: {}, error: error.message } }
  }
}

async function reviewAccess(object: KubeObject, _request: ApiRequest, { authorizer }: ReviewOptions) {
  const { spec } = object as unknown as SubjectAccessReview
  checkSpec('SubjectAccessReview', spec, true)
  return { status: await access(spec, userOf(spec), authorizer) }
}

async function reviewLocalAccess(
  object: KubeObject,
  { namespace = '' }: ApiRequest,
  { authorizer }: ReviewOptions,
) {
  const { spec } = object as unknown as SubjectAccessReview
  const kind = 'LocalSubjectAccessReview'
  checkSpec(kind, spec, true)
  const problem = localProblem(spec, namespace)
  if (problem) throw fieldProblem(kind, problem.field, problem.message)
  return { status: await access(spec, userOf(spec), authorizer) }
}

async function reviewOwnAccess(object: KubeObject, { user }: ApiRequest, { authorizer }: ReviewOptions) {
  const { spec } = object as unknown as SubjectAccessReview
  checkSpec('SelfSubjectAccessReview', spec, false)
  return { status: await access(spec, user, authorizer) }
}

async function reviewRules(object: KubeObject, { user }: ApiRequest, { authorizer }: ReviewOptions) {
  const { namespace } = (object as unknown as SelfSubjectRulesReview).spec
  if (!namespace) throw badRequest('no namespace on request')
  return { status: await authorizer.rulesFor(user, namespace), spec: {} }
}

async function access(
  spec: SubjectAccessReviewSpec,
  user: UserInfo,
  authorizer: Authorizer,
): Promise<SubjectAccessReviewStatus> {
  const { decision, reason } = await authorizer.authorize(attributesOf(spec, user))
  return {
    allowed: decision === 'allow',
    ...(decision === 'deny' && { denied: true }),
    ...(reason && { reason }),
  }
}

function attributesOf(
  { resourceAttributes: asked, nonResourceAttributes }: SubjectAccessReviewSpec,
  user: UserInfo,
): Attributes {
  if (!asked) {
    return { user, verb: nonResourceAttributes?.verb ?? '', path: nonResourceAttributes?.path ?? '' }
  }
  const { verb = '', group = '', version = '', resource = '', subresource, namespace, name } = asked
  return resourceAttributes({ user, verb, group, version, resource, subresource, namespace, name })
}

function userOf({ user = '', uid, groups = [], extra }: SubjectAccessReviewSpec): UserInfo {
  return { name: user, groups, ...(uid && { uid }), ...(extra && { extra }) }
}

/** Upstream: ValidateSubjectAccessReviewSpec. */
function checkSpec(kind: string, spec: SubjectAccessReviewSpec, namesUser: boolean): void {
  const { resourceAttributes, nonResourceAttributes, user, groups = [] } = spec
  if (resourceAttributes && nonResourceAttributes) {
    throw fieldProblem(
      kind,
      'spec.nonResourceAttributes',
      `Invalid value: ${JSON.stringify(nonResourceAttributes)}: cannot be specified in combination with resourceAttributes`,
    )
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    throw fieldProblem(
      kind,
      'spec.resourceAttributes',
      'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    )
  }
  if (namesUser && !user && groups.length === 0) {
    throw fieldProblem(
      kind,
      'spec.user',
      'Invalid value: "": at least one of user or group must be specified',
    )
  }
}

function localProblem(
  { resourceAttributes, nonResourceAttributes }: SubjectAccessReviewSpec,
  namespace: string,
) {
  if (nonResourceAttributes) {
    const message = `Invalid value: ${JSON.stringify(nonResourceAttributes)}: disallowed on this kind of request`
    return { field: 'spec.nonResourceAttributes', message }
  }
  if (resourceAttributes?.namespace === namespace) return undefined
  const value = JSON.stringify(resourceAttributes?.namespace ?? '')
  return {
    field: 'spec.resourceAttributes.namespace',
    message: `Invalid value: ${value}: must match metadata.namespace`,
  }
}

function fieldProblem(kind: string, field: string, message: string): StatusError {
  return invalid({ group: 'authorization.k8s.io', kind }, '', [
    { reason: 'FieldValueInvalid', field, message },
  ])
}
