// Who may do what. Attributes describe one request; an Authorizer answers with a decision.
import type { ApiHandler, ApiRequest, UserInfo } from '../../api/request.ts'
import { forbidden, type StatusError } from '../../api/status-error.ts'
import type { SubjectRules } from './rules.ts'

export interface ResourceAttributes {
  user: UserInfo
  verb: string
  group: string
  version: string
  resource: string
  subresource?: string
  namespace?: string
  name?: string
  /** Of a list, watch or deletecollection, as the request has them. */
  fieldSelector?: string
  labelSelector?: string
}

/** What is empty is left out. */
export function resourceAttributes({
  subresource,
  namespace,
  name,
  ...asked
}: { [F in keyof ResourceAttributes]: ResourceAttributes[F] | undefined } & Pick<
  ResourceAttributes,
  'user' | 'verb' | 'group' | 'version' | 'resource'
>): ResourceAttributes {
  return {
    ...asked,
    ...(subresource && { subresource }),
    ...(namespace && { namespace }),
    ...(name && { name }),
  }
}

export interface NonResourceAttributes {
  user: UserInfo
  /** Lower-case HTTP method. */
  verb: string
  path: string
}

export type Attributes = ResourceAttributes | NonResourceAttributes

export interface Decision {
  decision: 'allow' | 'deny' | 'noOpinion'
  reason?: string
}

export interface Authorizer {
  authorize(attributes: Attributes): Decision | Promise<Decision>
  /** What the user may do in a namespace, as a list. */
  rulesFor(user: UserInfo, namespace: string): SubjectRules | Promise<SubjectRules>
}

export function isNonResource(attributes: Attributes): attributes is NonResourceAttributes {
  return 'path' in attributes
}

/** Throws Forbidden unless the authorizer allows it. */
export async function requireAllowed(authorizer: Authorizer, attributes: Attributes): Promise<void> {
  const answer = authorizer.authorize(attributes)
  const { decision, reason } = answer instanceof Promise ? await answer : answer
  if (decision !== 'allow') throw forbiddenFor(attributes, reason)
}

/** Upstream: responsewriters.Forbidden. */
export function forbiddenFor(attributes: Attributes, reason?: string): StatusError {
  const text = sanitize(forbiddenText(attributes)) + (reason ? `: ${reason}` : '')
  if (isNonResource(attributes)) return forbidden({ group: '', resource: '' }, '', text)
  return forbidden({ group: attributes.group, resource: attributes.resource }, attributes.name ?? '', text)
}

function forbiddenText(attributes: Attributes): string {
  const who = `User ${JSON.stringify(attributes.user.name)} cannot ${attributes.verb}`
  if (isNonResource(attributes)) return `${who} path ${JSON.stringify(attributes.path)}`
  const { resource, subresource, group, namespace } = attributes
  const what = subresource ? `${resource}/${subresource}` : resource
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope'
  return `${who} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`
}

/** Upstream escapes these three so that a browser shows the text as text. */
function sanitize(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Upstream's request info sets a namespace for requests on a Namespace itself. */
export function attributesOf(request: ApiRequest): ResourceAttributes {
  const { user, verb, group, version, resource, subresource, name } = request
  const isNamespace = group === '' && resource === 'namespaces'
  const namespace = request.namespace || (isNamespace ? name : undefined)
  const checked = name && nameForCheck(request)
  return {
    ...resourceAttributes({ user, verb, group, version, resource, subresource, namespace, name: checked }),
    ...selectorsOf(request),
  }
}

const COLLECTION_VERBS = new Set(['list', 'watch', 'deletecollection'])
const ONE_NAME = /^metadata\.name==?([^=,/%]+)$/

/** Selectors of a list count, and one that asks for a single name makes the list a question about that name. */
export function selectorsOf({
  verb,
  options,
}: Pick<ApiRequest, 'verb' | 'options'>): Pick<
  ResourceAttributes,
  'fieldSelector' | 'labelSelector' | 'name'
> {
  if (!COLLECTION_VERBS.has(verb) || !options) return {}
  const { fieldSelector, labelSelector } = options
  const name = fieldSelector && ONE_NAME.exec(fieldSelector)?.[1]
  return {
    ...(fieldSelector && { fieldSelector }),
    ...(labelSelector && { labelSelector }),
    ...(name && { name }),
  }
}

/** A create names its object in the body, not in the URL, unless it is on a subresource. */
function nameForCheck({ verb, subresource, name }: ApiRequest): string {
  return verb === 'create' && !subresource ? '' : (name ?? '')
}

/** Checks every request before `handle` sees it: in-process requests are authorized like those over HTTPS. */
export function authorized(handle: ApiHandler, authorizer: Authorizer): ApiHandler {
  return async request => {
    const answer = authorizer.authorize(attributesOf(request))
    // Most authorizers answer at once: nothing waits for them.
    const { decision, reason } = answer instanceof Promise ? await answer : answer
    if (decision !== 'allow') throw forbiddenFor(attributesOf(request), reason)
    return handle(request)
  }
}
