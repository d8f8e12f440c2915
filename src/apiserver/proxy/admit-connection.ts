// Connections pass admission too: a webhook may forbid to attach to a pod. The object is the options of the connection.
// Upstream: handlers.ConnectResource.
import type { KubeObject } from '../../api/kube-object.ts'
import type { UserInfo } from '../../api/request.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import type { Admission, AdmissionAttributes } from '../admission/admission.ts'
import { isTrue, type ResourceRequestInfo } from '../http/request-info.ts'

interface Connection {
  info: ResourceRequestInfo
  query: URLSearchParams
  user: UserInfo
}

/** By 'pods/exec'. */
const OPTIONS: Record<string, { kind: string; read(connection: Connection): object }> = {
  'pods/exec': {
    kind: 'PodExecOptions',
    read: ({ query }) => ({ ...streams(query), command: query.getAll('command') }),
  },
  'pods/attach': { kind: 'PodAttachOptions', read: ({ query }) => streams(query) },
  'pods/portforward': {
    kind: 'PodPortForwardOptions',
    read: ({ query }) => ({ ports: query.getAll('ports').flatMap(text => text.split(',').map(Number)) }),
  },
  'pods/proxy': { kind: 'PodProxyOptions', read: proxied },
  'services/proxy': { kind: 'ServiceProxyOptions', read: proxied },
  'nodes/proxy': { kind: 'NodeProxyOptions', read: proxied },
}

function streams(query: URLSearchParams): object {
  const flags = ['stdin', 'stdout', 'stderr', 'tty'].filter(name => isTrue(query.getAll(name)))
  const container = query.get('container')
  return { ...Object.fromEntries(flags.map(name => [name, true])), ...(container && { container }) }
}

/** What comes behind `proxy`. */
function proxied({ info: { parts } }: Connection): object {
  const path = parts.slice(3).join('/')
  return path ? { path: `/${path}` } : {}
}

/** The handler, after admission has let the connection pass. Throws StatusError before anything is answered. */
export function admitted<C extends Connection>(
  admission: Admission,
  resource: ResourceInfo,
  subresource: string,
  handler: (connection: C) => Promise<void>,
): (connection: C) => Promise<void> {
  return async connection => {
    const attributes = attributesOf(connection, resource, subresource)
    await admission.admit(attributes)
    await admission.validate(attributes)
    await handler(connection)
  }
}

function attributesOf(
  connection: Connection,
  resource: ResourceInfo,
  subresource: string,
): AdmissionAttributes {
  const { info, user } = connection
  const { kind, read } = OPTIONS[`${resource.resource}/${subresource}`]!
  const object = { apiVersion: 'v1', kind, ...read(connection) } as unknown as KubeObject
  return {
    operation: 'CONNECT',
    resource,
    subresource,
    namespace: info.namespace,
    name: info.name ?? '',
    object,
    oldObject: undefined,
    user,
    dryRun: false,
    options: {},
    // There is no answer that could carry a warning.
    warn: () => {},
  }
}
